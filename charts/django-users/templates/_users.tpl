{{/* What common's templates are called with. The keeper and the migration run the same image with the same settings. */}}

{{- define "users.of" -}}
{{- dict "name" "django-users" "service" "users" "callers" true "keys" (list "django-secret-key") | toYaml -}}
{{- end -}}

{{- define "users.env" -}}
{{ include "common.serviceEnv" . }}
DJANGO_SECRET_KEY_FILE: /etc/polysession/credentials/django-secret-key
ASSERTION_PUBLIC_KEYS_DIR: /etc/polysession/callers
# Larger blocks go back to the kernel when they are freed. glibc raises this limit by itself to the size of what was freed, and each of eight
# threads then keeps the 19 MiB of a password hash: measured 165 MiB a worker after sign-ins, against 13.
MALLOC_MMAP_THRESHOLD_: 1048576
{{- end -}}
