/** Alert rules for Prometheus, over the metrics that the server has on `METRICS_ADDRESS`. */

export const PROMETHEUS_RULES = `\
# Alert rules for jwks-server. They expect a job of this name, with METRICS_ADDRESS as its target:
#
#   scrape_configs:
#     - job_name: jwks-server
#       static_configs:
#         - targets: ["127.0.0.1:9464"]
#
groups:
  - name: jwks-server
    rules:
      - alert: JwksServerDown
        expr: up{job="jwks-server"} == 0
        for: 2m
        labels:
          severity: critical
        annotations:
          summary: "jwks-server at {{ $labels.instance }} does not answer"
          description: "No tokens are issued, and the JWK set comes from caches while those last."

      - alert: JwksServerNotReady
        expr: jwks_ready == 0
        for: 2m
        labels:
          severity: critical
        annotations:
          summary: "jwks-server at {{ $labels.instance }} cannot issue tokens"
          description: "No key can sign, or the database takes no write: /readyz and the log say which."

      - alert: JwksNoSigningKey
        expr: up{job="jwks-server"} == 1 unless on (job, instance) jwks_active_key_age_seconds
        for: 1m
        labels:
          severity: critical
        annotations:
          summary: "No key of jwks-server at {{ $labels.instance }} signs"
          description: "A new key is made as soon as the database can be written: see the log."

      - alert: JwksNoNextKey
        expr: jwks_active_key_age_seconds unless on (job, instance) jwks_next_rotation_seconds
        for: 10m
        labels:
          severity: warning
        annotations:
          summary: "No key of jwks-server at {{ $labels.instance }} follows the one that signs"
          description: "It should be published long before it signs. See the log, and jwks-server doctor."

      - alert: JwksRotationOverdue
        expr: jwks_active_key_age_seconds > jwks_key_rotation_seconds + 3600
        for: 5m
        labels:
          severity: warning
        annotations:
          summary: "The key of jwks-server at {{ $labels.instance }} has signed for {{ $value | humanizeDuration }}"
          description: "That is longer than KEY_ROTATION. See jwks-server keys plan for what comes next."

      - alert: JwksUnplannedRotation
        expr: increase(jwks_unplanned_rotations_total[1h]) > 0
        labels:
          severity: warning
        annotations:
          summary: "A key of jwks-server at {{ $labels.instance }} signs that verifiers may not know"
          description: "None was left that they knew. They may refuse tokens until they fetch the JWK set."

      - alert: JwksStorageErrors
        expr: sum by (job, instance, kind) (increase(jwks_storage_errors_total[5m])) > 0
        for: 2m
        labels:
          severity: critical
        annotations:
          summary: "The database of jwks-server at {{ $labels.instance }} is {{ $labels.kind }}"
          description: "Requests are refused with 503, or fail: see the log and jwks-server doctor."

      - alert: JwksHashQueueFull
        expr: rate(jwks_password_hash_refused_total[5m]) > 0
        for: 5m
        labels:
          severity: warning
        annotations:
          summary: "jwks-server at {{ $labels.instance }} is asked for more logins than it can check"
          description: "{{ $value | humanize }} logins a second are refused with 503."

      - alert: JwksServerErrors
        expr: sum by (job, instance) (increase(jwks_http_requests_total{status="500"}[10m])) > 0
        labels:
          severity: warning
        annotations:
          summary: "Requests to jwks-server at {{ $labels.instance }} fail"
          description: "Each leaves a line of level error in the log."
`;
