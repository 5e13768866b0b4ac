#!/bin/sh
# openssl.sh - keys, signatures, certificates, ciphers and digests, providers loaded by dlopen, and a TLS server and
# client on loopback.
. "$(dirname "$0")/lib.sh"
forms="namespace command"
limit=180

work() {
    need openssl
    seq 1 5000 >message
    echo changed >changed
    for key in "RSA -pkeyopt rsa_keygen_bits:2048" "EC -pkeyopt ec_paramgen_curve:P-256" ED25519; do
        kind=${key%% *}
        # shellcheck disable=SC2086 # options
        run openssl genpkey -quiet -algorithm $key -out "$kind.pem" 2>/dev/null || run openssl genpkey -algorithm $key -out "$kind.pem" 2>/dev/null || exit 1
        run openssl pkey -in "$kind.pem" -pubout -out "$kind.pub" || exit 1
        run openssl pkeyutl -sign -rawin -inkey "$kind.pem" -in message -out "$kind.sig" || exit 1
        run openssl pkeyutl -verify -rawin -pubin -inkey "$kind.pub" -in message -sigfile "$kind.sig"
        run openssl pkeyutl -verify -rawin -pubin -inkey "$kind.pub" -in changed -sigfile "$kind.sig" 2>&1 | head -n 1
    done
    for digest in md5 sha1 sha256 sha512 sha3-256 blake2b512; do run openssl dgst -$digest message; done
    run openssl dgst -provider legacy -provider default -md4 message
    for cipher in aes-128-cbc aes-256-ctr chacha20 camellia-128-cbc; do
        run openssl enc -$cipher -pbkdf2 -iter 1000 -S 0102030405060708 -pass pass:x -in message -out sealed || exit 1
        cksum sealed
        run openssl enc -d -$cipher -pbkdf2 -iter 1000 -S 0102030405060708 -pass pass:x -in sealed | cmp - message && echo "$cipher opened"
    done
    run openssl list -providers -provider legacy -provider default
    run openssl req -x509 -new -key RSA.pem -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -out cert.pem || exit 1
    run openssl x509 -in cert.pem -noout -subject -ext subjectAltName
    run openssl verify -CAfile cert.pem cert.pem
    port=$(free_port)
    become openssl s_server -accept "127.0.0.1:$port" -key RSA.pem -cert cert.pem -www -quiet >server.log 2>&1 &
    server=$!
    trap 'kill $server' EXIT
    wait_for sh -c "openssl s_client -connect 127.0.0.1:$port </dev/null" || { cat server.log; exit 1; }
    for version in -tls1_2 -tls1_3; do
        printf 'GET / HTTP/1.0\r\n\r\n' | run openssl s_client -connect "127.0.0.1:$port" $version -CAfile cert.pem \
            -verify_return_error -verify_hostname localhost -ign_eof 2>/dev/null >answer
        grep -E '^(New, |HTTP/1|Verification|Verified)|Protocol *:' answer | sort -u
    done
    run openssl s_client -connect "127.0.0.1:$port" -verify_return_error </dev/null >refused 2>&1
    echo "without the certificate: $?"
}
# An error line starts with the thread's id.
tidy() { sed 's/^[0-9A-F]*:error:/ID:error:/'; }
compare
