{{/* What every pod has in common: Pod Security "restricted", no token, no service links. */}}

{{/*
The pod's fields besides its containers and volumes.
(dict "root" $ "name" … "component" … "values" <section with podSecurityContext, nodeSelector, …>), and optional
"grace" (seconds, 40), "workload" ("deployment": its pods spread a revision at a time), "serviceAccount", "token" (true: mount one).
*/}}
{{- define "common.podSpec" -}}
automountServiceAccountToken: {{ .token | default false }}
enableServiceLinks: false
{{- with .serviceAccount }}
serviceAccountName: {{ . }}
{{- end }}
{{- with (.root.Values.global).imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  {{- include "common.podSecurityContext" .values | nindent 2 }}
terminationGracePeriodSeconds: {{ .grace | default 40 }}
dnsConfig:
  options:
    # A name with two dots or more is asked for as it is; five, the default, costs a search list a connection.
    - name: ndots
      value: "2"
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $spread := .values.topologySpread | default "off" }}
{{- if has $spread (list "soft" "hard") }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: {{ ternary "DoNotSchedule" "ScheduleAnyway" (eq $spread "hard") }}
    labelSelector:
      matchLabels:
        {{- include "common.selectorLabels" . | nindent 8 }}
    {{- if eq (.workload | default "") "deployment" }}
    matchLabelKeys: [pod-template-hash]
    {{- end }}
{{- end }}
{{- end -}}

{{/* Restricted. Takes a section whose podSecurityContext adds IDs: `runAsUser: null` leaves the choice to OpenShift. */}}
{{- define "common.podSecurityContext" -}}
{{- $given := dict -}}
{{- range $key, $value := .podSecurityContext -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $_ := set $given $key (include "common.scalar" $value | int64) -}}
{{- end -}}
{{- end -}}
{{- $forced := dict "runAsNonRoot" true "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- if hasKey $given "fsGroup" -}}
{{- $_ := set $forced "fsGroupChangePolicy" "OnRootMismatch" -}}
{{- end -}}
{{- toYaml (merge $forced $given) -}}
{{- end -}}

{{/* A container's. */}}
{{- define "common.securityContext" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
runAsNonRoot: true
{{- end -}}

{{/* The lines `metadata` of a pod template: (dict "root" $ "name" … "component" … "annotations" <map>); "checksum" as of common.checksum. */}}
{{- define "common.podMetadata" -}}
labels:
  {{- include "common.selectorLabels" . | nindent 2 }}
{{- $annotations := merge (dict) (.annotations | default dict) -}}
{{- with .checksum }}
{{- $_ := set $annotations "checksum/config" . -}}
{{- end }}
{{- with $annotations }}
annotations:
  {{- range $key, $value := . }}
  {{ $key }}: {{ include "common.scalar" $value | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The annotations by which the bundled Prometheus finds a pod's metrics. Takes the port. */}}
{{- define "common.scrapeAnnotations" -}}
prometheus.io/scrape: "true"
prometheus.io/port: {{ . | toString | quote }}
prometheus.io/path: /metrics
{{- end -}}

{{/* A checksum of a ConfigMap's data and nothing else: with its labels every version bump would restart the pods. Takes the map. */}}
{{- define "common.checksum" -}}
{{- toJson . | sha256sum -}}
{{- end -}}

{{/* `/tmp` in memory: empty at each start of a pod, no wear, and what a read-only root file system needs. Counts against the memory limit. */}}
{{- define "common.tmpVolume" -}}
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: {{ . | default "64Mi" }}
{{- end -}}
