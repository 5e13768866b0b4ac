#!/bin/sh
# nginx.sh - a master and two workers serving files, gzip, TLS, a reload and a graceful stop on loopback.
. "$(dirname "$0")/lib.sh"
forms="namespace command"

work() {
    need nginx openssl curl
    port=$(free_port)
    secure=$(free_port)
    mkdir -p root logs temp
    seq 1 20000 >root/numbers.txt
    echo first >root/index.html
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem 2>/dev/null || exit 1
    cat >nginx.conf <<END
worker_processes 2; pid $PWD/nginx.pid; error_log $PWD/logs/error.log notice; user $(id -un);
events { worker_connections 64; }
http {
    access_log $PWD/logs/access.log; gzip on; gzip_types text/plain; default_type text/plain; sendfile on;
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;
    map \$arg_name \$greeting { default "hello"; ~^(?<who>[a-z]+)\$ "hello \$who"; }
    server { listen 127.0.0.1:$port; root $PWD/root; location /greet { return 200 "\$greeting\n"; }
             location ~ ^/proxy/(.*)\$ { proxy_pass http://127.0.0.1:$port/\$1; } }
    server { listen 127.0.0.1:$secure ssl http2; ssl_certificate $PWD/cert.pem; ssl_certificate_key $PWD/key.pem; root $PWD/root; }
}
END
    run nginx -t -p "$PWD" -c nginx.conf -e logs/error.log 2>&1 | sed 's/.*nginx: //'
    become nginx -p "$PWD" -c nginx.conf -e logs/error.log -g 'daemon off;' &
    server=$!
    trap 'kill $server 2>/dev/null' EXIT
    wait_for curl -fs "http://127.0.0.1:$port/" || { cat logs/error.log; exit 1; }
    curl -s "http://127.0.0.1:$port/numbers.txt" | cksum
    curl -s --compressed -D headers "http://127.0.0.1:$port/numbers.txt" | cksum
    grep -i encoding headers
    curl -s -r 100-199 "http://127.0.0.1:$port/numbers.txt" | cksum
    curl -s "http://127.0.0.1:$port/greet?name=you" "http://127.0.0.1:$port/greet?name=9" "http://127.0.0.1:$port/proxy/index.html"
    curl -s -o /dev/null -w '%{http_code}\n' "http://127.0.0.1:$port/missing"
    curl -s --cacert cert.pem --resolve "localhost:$secure:127.0.0.1" -w '%{http_version} %{ssl_verify_result}\n' "https://localhost:$secure/"
    seq 1 200 | xargs -P 4 -I N curl -s -o /dev/null -w '%{http_code}\n' "http://127.0.0.1:$port/numbers.txt" | sort | uniq -c
    sed -i 's/hello \$who/good day \$who/' nginx.conf
    kill -HUP $server
    wait_for sh -c "curl -s 'http://127.0.0.1:$port/greet?name=you' | grep -q 'good day'"
    curl -s "http://127.0.0.1:$port/greet?name=you"
    kill -QUIT $server
    wait $server
    echo "stopped: $?"
    grep -v notice logs/error.log | grep -v 'No such file'
    true
}
compare
