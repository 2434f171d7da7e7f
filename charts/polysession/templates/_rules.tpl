{{/* What must hold across charts: a sentence each. Takes the root. */}}
{{- define "polysession.rules" -}}
{{- range $chart := list "users" "orders" -}}
{{- $values := index $.Values $chart -}}
{{- if and $values.enabled (not $.Values.postgres.enabled) (not ($values.database).host) -}}
{{- fail (printf "postgres.enabled is false: set %s.database.host to the PostgreSQL that holds its database." $chart) -}}
{{- end -}}
{{- end -}}
{{- $asked := false -}}
{{- range $chart := list "users" "orders" -}}
{{- $values := index $.Values $chart -}}
{{- if and $values.enabled (not ($values.database).host) -}}{{- $asked = true -}}{{- end -}}
{{- end -}}
{{- if and .Values.postgres.enabled (not $asked) (or .Values.users.enabled .Values.orders.enabled) -}}
{{- fail "users.database.host and orders.database.host name an existing PostgreSQL, and nothing asks the release's own: set postgres.enabled to false, or leave out the host of whichever service is to use it." -}}
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
{{- if and .Values.secrets.rotation .Values.global.redis.nodes (include "common.redisUser" $) (not .Values.global.credentials.existingSecret) -}}
{{- fail "secrets.rotation would change redis-sessions-password, and an existing Redis Cluster does not learn it: name the Secret with its password by global.credentials.existingSecret, then only the rings rotate." -}}
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
