{{/* What must hold across charts: a sentence each. Takes the root. */}}
{{- define "polysession.rules" -}}
{{- range $chart := list "users" "orders" -}}
{{- $values := index $.Values $chart -}}
{{- if and $values.enabled (not $.Values.postgres.enabled) (not ($values.database).host) -}}
{{- fail (printf "postgres.enabled is false: set %s.database.host to the PostgreSQL that holds its database." $chart) -}}
{{- end -}}
{{- end -}}
{{- if and (not .Values.redis.enabled) (not .Values.global.redis.nodes) -}}
{{- fail "redis.enabled is false: set global.redis.nodes to nodes of an existing Redis Cluster." -}}
{{- end -}}
{{- if and .Values.redis.enabled .Values.global.redis.nodes -}}
{{- fail "global.redis.nodes names an existing Redis Cluster: set redis.enabled to false, or leave the nodes out." -}}
{{- end -}}
{{- if and .Values.redis.enabled (ne (not (include "common.redisUser" $)) (not (.Values.redis.auth).enabled)) -}}
{{- fail "redis.auth.enabled and global.redis.username belong together: with a user the services show a password, without one they do not." -}}
{{- end -}}
{{- if and .Values.global.collector.enabled (not .Values.observability.enabled) -}}
{{- fail "global.collector.enabled is the Collector of charts/observability: enable that, or set the Collector to false (and perhaps global.otlpEndpoint)." -}}
{{- end -}}
{{- if and .Values.secrets.rotation .Values.global.sessionKeys.existingSecret .Values.global.credentials.existingSecret -}}
{{- fail "secrets.rotation is for Secrets that the key Job makes: rotate your existing ones where they come from." -}}
{{- end -}}
{{- with .Values.global.session -}}
{{- if lt (int .absoluteSeconds) (int .idleSeconds) -}}
{{- fail "global.session.absoluteSeconds is shorter than idleSeconds: a session would end before it could idle out." -}}
{{- end -}}
{{- if lt (int .anonymousAbsoluteSeconds) (int .anonymousIdleSeconds) -}}
{{- fail "global.session.anonymousAbsoluteSeconds is shorter than anonymousIdleSeconds." -}}
{{- end -}}
{{- end -}}
{{- end -}}
