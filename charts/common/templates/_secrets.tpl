{{/*
Secrets. The umbrella's key Job makes two, unless the names of existing ones are given; a pod sees its own entries only.
All take the root.
*/}}

{{/* The rings of session keys. */}}
{{- define "common.keysSecret" -}}
{{- with ((.Values.global).sessionKeys).existingSecret -}}
{{- . -}}
{{- else -}}
{{- include "common.fullname" (dict "root" . "component" "session-keys") -}}
{{- end -}}
{{- end -}}

{{/* Passwords, Django's key, the assertion's key pair, Redis's ACL. */}}
{{- define "common.credentialsSecret" -}}
{{- with ((.Values.global).credentials).existingSecret -}}
{{- . -}}
{{- else -}}
{{- include "common.fullname" (dict "root" . "component" "credentials") -}}
{{- end -}}
{{- end -}}

{{/* Redis's ACL user of the services; empty where Redis asks for no password. */}}
{{- define "common.redisUser" -}}
{{- $redis := (.Values.global).redis | default dict -}}
{{- ternary $redis.username "sessions" (hasKey $redis "username") -}}
{{- end -}}

{{/* With TLS: the Secret with tls.crt, tls.key and ca.crt of Redis. */}}
{{- define "common.redisTlsSecret" -}}
{{- $tls := ((.Values.global).redis).tls | default dict -}}
{{- if $tls.enabled -}}
{{- required "global.redis.tls.enabled needs global.redis.tls.existingSecret: a Secret with tls.crt, tls.key and ca.crt (clients mount ca.crt only)." $tls.existingSecret -}}
{{- end -}}
{{- end -}}

{{/* A volume with some entries of the credentials: (dict "root" $ "keys" (list "redis-manager-password")). Mount it at /etc/polysession/credentials. */}}
{{- define "common.credentialsVolume" -}}
- name: credentials
  secret:
    secretName: {{ include "common.credentialsSecret" .root }}
    defaultMode: 0440
    items:
      {{- range .keys }}
      - key: {{ . }}
        path: {{ . }}
      {{- end }}
{{- end -}}
