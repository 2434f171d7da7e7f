{{/*
Labels. Pod templates and volumeClaimTemplates carry the selector labels only: those of the chart's version would roll
every pod at a version bump, and a StatefulSet refuses the upgrade. (dict "root" $ "name" "<chart>" "component" "<component>");
the chart's name is said, because an alias in the umbrella changes .Chart.Name. Sprig's `merge` is deep and writes into its first map: who replaces
"values" in such a dict leaves the old out: (merge (dict "values" <section>) (omit $of "values")).
*/}}

{{- define "common.selectorLabels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* For the metadata of objects. */}}
{{- define "common.labels" -}}
{{ include "common.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: polysession
helm.sh/chart: {{ printf "%s-%s" .name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The `metadata` of an object: (dict "root" $ "name" … "component" …), and "suffix" for a second object of the same kind. */}}
{{- define "common.metadata" -}}
name: {{ include "common.fullname" (dict "root" .root "component" (ternary (printf "%s-%s" .component .suffix) .component (hasKey . "suffix"))) }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "common.labels" . | nindent 2 }}
{{- end -}}
