{{/* What common's templates are called with. */}}

{{- define "orders.of" -}}
{{- dict "name" "flask-orders" "service" "orders" "keys" (list "orders.pem") | toYaml -}}
{{- end -}}

{{- define "orders.env" -}}
{{ include "common.serviceEnv" . }}
USERS_URL: {{ .values.usersUrl | default (printf "http://%s:8000" (include "common.fullname" (dict "root" .root "component" "users"))) }}
USERS_TIMEOUT_SECONDS: {{ .values.usersTimeoutSeconds }}
ASSERTION_PRIVATE_KEY_FILE: /etc/polysession/credentials/orders.pem
{{- end -}}
