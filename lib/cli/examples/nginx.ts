/** A reverse proxy in front of the server, which ends what slow clients hold open. */

export const NGINX_SITE = `\
# nginx in front of jwks-server: a file for /etc/nginx/conf.d. The server believes what it says of
# clients' addresses with TRUSTED_PROXIES=127.0.0.1, and names itself with ISSUER=https://auth.example.

upstream jwks_server {
    server 127.0.0.1:8080;
    keepalive 32;
}

# Connections of one address at a time.
limit_conn_zone $binary_remote_addr zone=jwks_clients:10m;

server {
    listen 443 ssl;
    server_name auth.example;

    ssl_certificate /etc/ssl/auth.example.pem;
    ssl_certificate_key /etc/ssl/private/auth.example.key;
    ssl_protocols TLSv1.2 TLSv1.3;

    # Headers and bodies that trickle, answers that nobody reads, connections without a request.
    client_header_timeout 10s;
    client_body_timeout 10s;
    send_timeout 10s;
    keepalive_timeout 60s;
    reset_timedout_connection on;
    client_max_body_size 8k;
    limit_conn jwks_clients 64;

    location / {
        proxy_pass http://jwks_server;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_connect_timeout 2s;
        proxy_read_timeout 15s;
    }
}
`;
