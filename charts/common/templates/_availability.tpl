{{/* Disruption budgets and autoscaling. */}}

{{/*
(dict "root" $ "name" … "component" … "values" <section> "replicas" <least number of pods> "stateless" true). For one pod there is none: it would block every drain.
*/}}
{{- define "common.podDisruptionBudget" -}}
{{- if and (.values.podDisruptionBudget).enabled (gt (int .replicas) 1) }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "common.metadata" . | nindent 2 }}
spec:
  maxUnavailable: {{ .values.podDisruptionBudget.maxUnavailable | default 1 }}
  {{- if .stateless }}
  # A pod that is not ready serves nobody: it must not keep a node from being drained.
  unhealthyPodEvictionPolicy: AlwaysAllow
  {{- end }}
  selector:
    matchLabels:
      {{- include "common.selectorLabels" . | nindent 6 }}
{{- end }}
{{- end -}}

{{/* The line `replicas`, unless an autoscaler owns it: two owners are a conflict under server-side apply. Takes the section. */}}
{{- define "common.replicas" -}}
{{- if not (.autoscaling).enabled -}}
replicas: {{ .replicas }}
{{- end -}}
{{- end -}}

{{/* The least number of pods that a section asks for. */}}
{{- define "common.leastReplicas" -}}
{{- if (.autoscaling).enabled }}{{ .autoscaling.minReplicas }}{{ else }}{{ .replicas }}{{ end -}}
{{- end -}}

{{/* (dict "root" $ "name" … "component" … "values" <section>) */}}
{{- define "common.horizontalPodAutoscaler" -}}
{{- with .values.autoscaling }}
{{- if .enabled }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
{{- fail (printf "autoscaling of %s: minReplicas %d is more than maxReplicas %d." $.component (int .minReplicas) (int .maxReplicas)) }}
{{- end }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "common.metadata" $ | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "common.fullname" $ }}
  minReplicas: {{ .minReplicas }}
  maxReplicas: {{ .maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ .targetCPUUtilizationPercentage }}
{{- end }}
{{- end }}
{{- end -}}
