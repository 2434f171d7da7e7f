route:
  receiver: {{ ternary "webhook" "nobody" (not (empty .Values.alertmanager.webhook)) }}
  group_by: [alertname, job]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
receivers:
  - name: nobody
{{- with .Values.alertmanager.webhook }}
  - name: webhook
    webhook_configs:
      - url: {{ . | quote }}
{{- end }}
