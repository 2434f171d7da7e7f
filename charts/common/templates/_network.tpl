{{/*
Network policies. A policy that names both directions denies what it does not list; a chart lists its pod's dependencies and callers.
*/}}

{{/* Pods of this release: (dict "root" $ "components" (list "users" "orders")) -> the peers of a `from` or `to`. */}}
{{- define "common.peers" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/instance: {{ .root.Release.Name }}
    matchExpressions:
      - key: app.kubernetes.io/component
        operator: In
        values: [{{ join ", " .components }}]
{{- end -}}

{{/* An item of `egress`: DNS, by the namespace it lives in and by the node-local cache. Takes the root. */}}
{{- define "common.egressDns" -}}
{{- $dns := ((.Values.global).networkPolicy).dns | default dict -}}
{{- $ports := $dns.ports | default (list 53) -}}
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ $dns.namespace | default "kube-system" }}
    - ipBlock:
        cidr: {{ $dns.nodeLocal | default "169.254.20.10/32" }}
  ports:
    {{- range $port := $ports }}
    {{- range list "UDP" "TCP" }}
    - protocol: {{ . }}
      port: {{ $port }}
    {{- end }}
    {{- end }}
{{- end -}}

{{/* An item of `egress`: (dict "root" $ "components" (list "redis") "port" 6379). */}}
{{- define "common.egressTo" -}}
- to:
    {{- include "common.peers" . | nindent 4 }}
  ports:
    - protocol: TCP
      port: {{ .port }}
{{- end -}}

{{/* An item of `ingress`: (dict "root" $ "components" (list "edge") "port" 8000). */}}
{{- define "common.ingressFrom" -}}
- from:
    {{- include "common.peers" . | nindent 4 }}
  ports:
    - protocol: TCP
      port: {{ .port }}
{{- end -}}

{{/* An item of `ingress`: who may scrape, the bundled Prometheus and the peers of global.networkPolicy.metricsFrom. (dict "root" $ "port" 8000) */}}
{{- define "common.ingressMetrics" -}}
- from:
    {{- include "common.peers" (dict "root" .root "components" (list "prometheus")) | nindent 4 }}
    {{- with ((.root.Values.global).networkPolicy).metricsFrom }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  ports:
    - protocol: TCP
      port: {{ .port }}
{{- end -}}

{{/* An item of `egress`, if traces go to the release's own Collector; an existing one is given by networkPolicy.extraEgress. Takes the root. */}}
{{- define "common.egressTelemetry" -}}
{{- if and (not (.Values.global).otlpEndpoint) ((.Values.global).collector).enabled -}}
{{- include "common.egressTo" (dict "root" . "components" (list "collector") "port" 4318) -}}
{{- end -}}
{{- end -}}

{{/*
The whole policy of a component: (dict "root" $ "name" … "component" … "values" <section with networkPolicy> "ingress" <YAML> "egress" <YAML>).
Without `ingress` nobody gets in, without `egress` nothing gets out, but for networkPolicy.extraIngress and .extraEgress.
*/}}
{{- define "common.networkPolicy" -}}
{{- $policy := .values.networkPolicy | default dict }}
{{- if $policy.enabled }}
{{- $ingress := concat (.ingress | default "" | fromYamlArray) ($policy.extraIngress | default list) }}
{{- $egress := concat (.egress | default "" | fromYamlArray) ($policy.extraEgress | default list) }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "common.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "common.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  {{- with $ingress }}
  ingress:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $egress }}
  egress:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}
