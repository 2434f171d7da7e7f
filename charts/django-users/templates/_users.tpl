{{/* What common's templates are called with. The keeper and the migration run the same image with the same settings. */}}

{{- define "users.of" -}}
{{- dict "name" "django-users" "service" "users" "callers" true "keys" (list "django-secret-key") | toYaml -}}
{{- end -}}

{{- define "users.env" -}}
{{ include "common.serviceEnv" . }}
DJANGO_SECRET_KEY_FILE: /etc/polysession/credentials/django-secret-key
ASSERTION_PUBLIC_KEYS_DIR: /etc/polysession/callers
{{- end -}}
