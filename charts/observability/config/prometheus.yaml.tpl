global:
  scrape_interval: {{ .Values.prometheus.scrapeInterval }}
  scrape_timeout: 10s
  evaluation_interval: {{ .Values.prometheus.scrapeInterval }}
rule_files: [/etc/prometheus/polysession.yaml]
{{- if .Values.alertmanager.enabled }}
alerting:
  alertmanagers:
    - static_configs:
        - targets: ["{{ include "observability.fullname" (dict "context" . "component" "alertmanager") }}:9093"]
{{- end }}
scrape_configs:
  # Whatever asks for it by annotation. The job is the component: rules and dashboards know no release's name.
  - job_name: pods
    kubernetes_sd_configs: &pods
      - role: pod
        namespaces:
          own_namespace: true
    relabel_configs:
      - source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_instance]
        action: keep
        regex: {{ .Release.Name }}
      - source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape]
        action: keep
        regex: "true"
      # Jobs that have ended have no port.
      - source_labels: [__meta_kubernetes_pod_phase]
        action: drop
        regex: Succeeded|Failed
      - source_labels: [__meta_kubernetes_pod_container_init]
        action: drop
        regex: "true"
      # The same address for every port that a pod names: Prometheus takes equal targets once.
      - source_labels: [__meta_kubernetes_pod_ip, __meta_kubernetes_pod_annotation_prometheus_io_port]
        separator: ":"
        target_label: __address__
      - source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_path]
        action: replace
        target_label: __metrics_path__
        regex: (.+)
      - source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_component]
        target_label: job
      - source_labels: [__meta_kubernetes_pod_name]
        target_label: instance
      - source_labels: [__meta_kubernetes_pod_node_name]
        target_label: node
  # Redis speaks no Prometheus: one exporter asks each node.
  - job_name: redis
    metrics_path: /scrape
    kubernetes_sd_configs: *pods
    relabel_configs:
      - source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_instance, __meta_kubernetes_pod_label_app_kubernetes_io_component, __meta_kubernetes_pod_container_port_name]
        separator: ;
        action: keep
        regex: {{ .Release.Name }};redis;redis
      {{- if (((.Values.global).redis).tls).enabled }}
      # By its name, which its certificate has.
      - source_labels: [__meta_kubernetes_pod_name]
        target_label: __param_target
        replacement: rediss://$1.{{ include "common.redisNodesDomain" . }}:6379
      {{- else }}
      - source_labels: [__meta_kubernetes_pod_ip]
        target_label: __param_target
        replacement: redis://$1:6379
      {{- end }}
      - source_labels: [__meta_kubernetes_pod_name]
        target_label: instance
      - source_labels: [__meta_kubernetes_pod_node_name]
        target_label: node
      - target_label: __address__
        replacement: "{{ include "observability.fullname" (dict "context" . "component" "redis-exporter") }}:9121"
