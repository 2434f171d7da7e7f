{{/*
What both services have in common: settings, mounts, the migration. docs/configuration.md explains each setting.
All take (dict "root" $ "name" "<chart>" "component" … "service" "users" "values" .Values).
*/}}

{{/* YAML of a map. Sessions are shared, so what is about them is global: services that disagreed would end each other's. */}}
{{- define "common.serviceEnv" -}}
{{- $global := .root.Values.global | default dict -}}
{{- $session := $global.session | default dict -}}
{{- $database := .values.database -}}
PUBLIC_URL: {{ include "common.publicUrl" .root }}
BIND: 0.0.0.0:8000
WORKERS: {{ .values.workers }}
THREADS: {{ .values.threads }}
LOG_LEVEL: {{ .values.logLevel }}
{{- with .values.trustedProxies }}
TRUSTED_PROXIES: {{ join "," . | quote }}
{{- end }}
DATABASE_URL: {{ printf "postgresql://%s@%s:%d/%s" $database.user (include "common.databaseHost" .) (int $database.port) $database.name | quote }}
DATABASE_PASSWORD_FILE: /etc/polysession/credentials/{{ .service }}-database-password
REDIS_NODES: {{ include "common.redisNodes" .root | quote }}
{{- with include "common.redisUser" .root }}
REDIS_USERNAME: {{ . }}
REDIS_PASSWORD_FILE: /etc/polysession/credentials/redis-sessions-password
{{- end }}
{{- if include "common.redisTlsSecret" .root }}
REDIS_TLS_CA_FILE: /etc/polysession/redis/ca.crt
{{- end }}
SESSION_KEYS_DIR: /etc/polysession/keys
{{- range $variable, $key := dict "SESSION_PREFIX" "prefix" "SESSION_IDLE_SECONDS" "idleSeconds" "SESSION_ABSOLUTE_SECONDS" "absoluteSeconds" "SESSION_ANONYMOUS_IDLE_SECONDS" "anonymousIdleSeconds" "SESSION_ANONYMOUS_ABSOLUTE_SECONDS" "anonymousAbsoluteSeconds" "SESSION_ROTATE_SECONDS" "rotateSeconds" "SESSIONS_A_PRINCIPAL" "perPrincipal" "SESSION_LIMIT_POLICY" "limitPolicy" }}
{{- if hasKey $session $key }}
{{ $variable }}: {{ include "common.scalar" (get $session $key) | quote }}
{{- end }}
{{- end }}
PROMETHEUS_MULTIPROC_DIR: /tmp/metrics
{{ include "common.telemetryEnv" (dict "root" .root "service" .name) }}
{{- end -}}

{{- define "common.databaseHost" -}}
{{- .values.database.host | default (include "common.fullname" (dict "root" .root "component" "postgres")) -}}
{{- end -}}

{{/* The list `volumes`; "keys": entries of the credentials besides database and Redis passwords, "callers": mount the public key, too. */}}
{{- define "common.serviceVolumes" -}}
{{ include "common.tmpVolume" .values.tmpSize }}
- name: session-keys
  secret:
    # Whole and as a directory: its links are swapped when a ring gets a key, and the services read it again.
    secretName: {{ include "common.keysSecret" .root }}
    defaultMode: 0440
{{- $keys := prepend (.keys | default list) (printf "%s-database-password" .service) }}
{{- if include "common.redisUser" .root }}
{{- $keys = append $keys "redis-sessions-password" }}
{{- end }}
{{ include "common.credentialsVolume" (dict "root" .root "keys" $keys) }}
{{- if .callers }}
- name: callers
  secret:
    secretName: {{ include "common.credentialsSecret" .root }}
    defaultMode: 0440
    items:
      - key: orders.pub.pem
        path: orders.pem
{{- end }}
{{- with include "common.redisTlsSecret" .root }}
- name: redis-ca
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      - key: ca.crt
        path: ca.crt
{{- end }}
{{- with .values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The list `volumeMounts`. */}}
{{- define "common.serviceMounts" -}}
- name: tmp
  mountPath: /tmp
- name: session-keys
  mountPath: /etc/polysession/keys
  readOnly: true
- name: credentials
  mountPath: /etc/polysession/credentials
  readOnly: true
{{- if .callers }}
- name: callers
  mountPath: /etc/polysession/callers
  readOnly: true
{{- end }}
{{- if include "common.redisTlsSecret" .root }}
- name: redis-ca
  mountPath: /etc/polysession/redis
  readOnly: true
{{- end }}
{{- with .values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
Probes of a service. Readiness asks for what must have answered once since start; a later loss of Redis or PostgreSQL does
not make it unready, or one outage would empty every Service.
*/}}
{{- define "common.serviceProbes" -}}
startupProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 3
  timeoutSeconds: 3
  failureThreshold: 2
# Endpoints learn of it within these seconds; the service then drains for at most 20.
lifecycle:
  preStop:
    sleep:
      seconds: 5
{{- end -}}

{{/* The items of `egress` that a service needs: DNS, PostgreSQL, Redis, the Collector, and what is outside of the release; "databaseOnly" for its migration. */}}
{{- define "common.serviceEgress" -}}
{{- $outside := ((.root.Values.global).networkPolicy).egress | default list -}}
{{- $own := .values.networkPolicy.extraEgress -}}
{{- if and .values.networkPolicy.enabled (not $outside) (not $own) (or .values.database.host ((.root.Values.global).redis).nodes (.root.Values.global).otlpEndpoint) -}}
{{- fail (printf "%s: database.host, global.redis.nodes or global.otlpEndpoint is outside of the release, and the network policy denies what is not listed. List it in global.networkPolicy.egress." .name) -}}
{{- end -}}
{{ include "common.egressDns" .root }}
{{- if not .values.database.host }}
{{ include "common.egressTo" (dict "root" .root "components" (list "postgres") "port" 5432) }}
{{- end }}
{{- if not .databaseOnly }}
{{- if not ((.root.Values.global).redis).nodes }}
{{ include "common.egressTo" (dict "root" .root "components" (list "redis") "port" 6379) }}
{{- end }}
{{ include "common.egressTelemetry" .root }}
{{- end }}
{{- with $outside }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
The migration: a Job named by a hash of what it runs, so that an upgrade that changes nothing runs nothing, and one that does is no
change of an immutable Job. No hook: it would wait for the database that is installed with it. The services take a lock for it.
(… "component" "users-migrate" "command" (list …) "volumes" <YAML> "mounts" <YAML> "env" <YAML of a map>)
*/}}
{{- define "common.migrationJob" -}}
{{- $pod := include "common.migrationPod" . }}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "common.fullname" (dict "root" .root "component" (printf "%s-db-%s" .service (sha256sum $pod | trunc 5))) }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "common.labels" . | nindent 4 }}
spec:
  backoffLimit: 20
  # A week to read its log; made again later, it finds nothing to do.
  ttlSecondsAfterFinished: 604800
  template:
    {{- $pod | nindent 4 }}
{{- end -}}

{{- define "common.migrationPod" -}}
metadata:
  {{- include "common.podMetadata" . | nindent 2 }}
spec:
  {{- include "common.podSpec" (merge (dict "values" (omit .values "topologySpread")) (omit . "values")) | nindent 2 }}
  restartPolicy: OnFailure
  containers:
    - name: migrate
      {{- include "common.imageLines" (dict "root" .root "image" .values.image) | nindent 6 }}
      command: {{ toJson .command }}
      env:
        {{- include "common.env" (dict "env" .env "extra" .values.extraEnv) | trim | nindent 8 }}
      resources:
        {{- toYaml .values.migration.resources | nindent 8 }}
      securityContext:
        {{- include "common.securityContext" . | nindent 8 }}
      volumeMounts:
        {{- .mounts | nindent 8 }}
  volumes:
    {{- .volumes | nindent 4 }}
{{- end -}}
