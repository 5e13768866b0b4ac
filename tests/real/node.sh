#!/bin/sh
# node.sh - JavaScript compiled at run time, worker threads, crypto, zlib, child processes, a server on loopback.
. "$(dirname "$0")/lib.sh"
forms="namespace command"
limit=180

work() {
    need node
    cat >main.js <<'END'
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
if (!isMainThread) {
  const shared = new Int32Array(workerData.shared);
  for (let i = 0; i < 1000; i++) Atomics.add(shared, 0, workerData.step);
  let caught = 0;
  for (let i = 0; i < 1000; i++) { try { null.x } catch (e) { caught++ } }
  const hash = require('crypto').createHash('sha256').update('w' + workerData.step).digest('hex');
  parentPort.postMessage({ caught, hash });
  return;
}
const crypto = require('crypto'), zlib = require('zlib'), http = require('http'), fs = require('fs'), path = require('path');
const { execFileSync, spawnSync, fork } = require('child_process');
const { promisify } = require('util');
(async () => {
  const shared = new SharedArrayBuffer(4);
  const answers = await Promise.all([1, 2, 3, 4].map(step => new Promise((resolve, reject) => {
    const worker = new Worker(__filename, { workerData: { shared, step } });
    worker.on('message', resolve); worker.on('error', reject);
  })));
  console.log('workers', new Int32Array(shared)[0], answers);
  const text = Buffer.from('the quick brown fox\n'.repeat(20000));
  for (const [pack, unpack] of [['gzip', 'gunzip'], ['deflate', 'inflate'], ['brotliCompress', 'brotliDecompress']]) {
    const small = await promisify(zlib[pack])(text);
    console.log(pack, (await promisify(zlib[unpack])(small)).equals(text), small.length < text.length / 10);
  }
  for (const name of ['md5', 'sha512', 'sha3-384', 'blake2s256']) console.log(name, crypto.createHash(name).update(text).digest('hex').slice(0, 32));
  console.log('pbkdf2', (await promisify(crypto.pbkdf2)('secret', 'salt', 20000, 24, 'sha256')).toString('hex'),
              'scrypt', (await promisify(crypto.scrypt)('secret', 'salt', 16)).toString('hex'));
  const { publicKey, privateKey } = await promisify(crypto.generateKeyPair)('ec', { namedCurve: 'P-256' });
  console.log('signed', crypto.verify('sha256', text, publicKey, crypto.sign('sha256', text, privateKey)));
  const cipher = crypto.createCipheriv('aes-256-gcm', Buffer.alloc(32, 1), Buffer.alloc(12, 2));
  console.log('gcm', Buffer.concat([cipher.update('plain'), cipher.final(), cipher.getAuthTag()]).toString('hex'));
  let hot = 0; const add = (a, b) => a + b; for (let i = 0; i < 5e6; i++) hot = add(hot, i % 7); console.log('hot', hot);
  const wasm = new WebAssembly.Module(Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 97, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11]));
  console.log('wasm', new WebAssembly.Instance(wasm).exports.a(40, 2));
  console.log('intl', new Intl.NumberFormat('de-DE').format(1234567.891), 'ä'.localeCompare('z', 'sv'), 'ﬁ'.normalize('NFKC'));
  console.log('child', execFileSync('/bin/sh', ['-c', 'echo out; echo $0']).toString().trim(), spawnSync('/bin/false').status);
  const server = http.createServer((request, response) => response.end('you asked ' + request.url)).listen(0, '127.0.0.1');
  await new Promise(resolve => server.on('listening', resolve));
  const bodies = await Promise.all(Array.from({ length: 50 }, (_, i) => fetch(`http://127.0.0.1:${server.address().port}/${i}`).then(r => r.text())));
  console.log('http', bodies.length, bodies[49]); server.close(); server.closeAllConnections?.();
  console.log('lookup', await require('dns').promises.lookup('localhost', 4));
  console.log('dir', fs.readdirSync('.').includes('main.js'), path.basename(process.execPath));
  process.on('exit', code => console.log('leaving with', code)); process.exitCode = 4;
})();
END
    run node main.js
    echo "status $?"
    run node -e 'throw new TypeError("uncaught")' 2>&1 | grep TypeError
    run node --stack-size=500 -e 'const f = n => f(n + 1) + 1; try { f(0) } catch (e) { console.log(e instanceof RangeError) }'
    run node -p 'process.versions.v8 && Object.keys(process.binding("natives")).length > 10' 2>/dev/null
}
# process.execPath is /proc/self/exe, which command form can only set right with a capability.
tidy() { sed "s/^dir true $(basename "$linker")\$/dir true node/"; }
compare
