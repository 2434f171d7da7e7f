{{- define "observability.fullname" -}}
{{- include "common.fullname" (dict "root" .context "component" .component) -}}
{{- end -}}

{{/* Where the Collector sends traces on: an existing backend, or the release's Jaeger. */}}
{{- define "observability.tracesEndpoint" -}}
{{- if .Values.collector.tracesEndpoint -}}
{{- .Values.collector.tracesEndpoint -}}
{{- else if .Values.jaeger.enabled -}}
{{- printf "http://%s:4318" (include "observability.fullname" (dict "context" . "component" "jaeger")) -}}
{{- else -}}
{{- fail "The Collector has nowhere to send traces: set collector.tracesEndpoint, or jaeger.enabled." -}}
{{- end -}}
{{- end -}}

{{/* A configuration file as it is mounted. (dict "context" $ "file" "collector") */}}
{{- define "observability.config" -}}
{{- tpl (.context.Files.Get (printf "config/%s.yaml.tpl" .file)) .context -}}
{{- end -}}

{{/* One Deployment shape for the four. (dict "root" $ "component" … "values" <section> "data" <ConfigMap's data> "args" <list> "ports" <map name: port>
     "health" <port name> "live" <path> "ready" <path> "mount" <folder of the configuration> "volumes" <YAML> "mounts" <YAML> "scrape" <port> "token" "serviceAccount") */}}
{{- define "observability.deployment" -}}
{{- $names := dict "root" .root "name" "observability" "component" .component }}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "common.metadata" $names | nindent 2 }}
spec:
  replicas: 1
  revisionHistoryLimit: 3
  # What they hold is in the pod: two at once would each have half.
  strategy:
    type: Recreate
  selector:
    matchLabels:
      {{- include "common.selectorLabels" $names | nindent 6 }}
  template:
    metadata:
      {{- $scrape := include "common.scrapeAnnotations" .scrape | fromYaml }}
      {{- include "common.podMetadata" (merge (dict "annotations" (merge (dict) .values.podAnnotations $scrape) "checksum" (include "common.checksum" .data)) $names) | nindent 6 }}
    spec:
      {{- include "common.podSpec" (merge (dict "values" .values "token" (.token | default false) "serviceAccount" (.serviceAccount | default "")) $names) | nindent 6 }}
      containers:
        - name: {{ .component }}
          {{- include "common.imageLines" (dict "root" .root "image" .values.image) | nindent 10 }}
          args:
            {{- toYaml .args | nindent 12 }}
          {{- with include "common.env" (dict "env" (.env | default "{}") "extra" .values.extraEnv) }}
          env:
            {{- . | nindent 12 }}
          {{- end }}
          ports:
            {{- range $name, $port := .ports }}
            - name: {{ $name }}
              containerPort: {{ $port }}
            {{- end }}
          securityContext:
            {{- include "common.securityContext" . | nindent 12 }}
          startupProbe:
            httpGet: {path: {{ .ready }}, port: {{ .health }}}
            periodSeconds: 2
            failureThreshold: 90
          readinessProbe:
            httpGet: {path: {{ .ready }}, port: {{ .health }}}
            periodSeconds: 10
            timeoutSeconds: 5
          livenessProbe:
            httpGet: {path: {{ .live }}, port: {{ .health }}}
            periodSeconds: 20
            timeoutSeconds: 5
            failureThreshold: 5
          resources:
            {{- toYaml .values.resources | nindent 12 }}
          volumeMounts:
            - name: config
              mountPath: {{ .mount }}
              readOnly: true
            {{- with .mounts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
      volumes:
        - name: config
          configMap:
            name: {{ include "common.fullname" $names }}
        {{- with .volumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
{{- end -}}

{{/* Its ConfigMap and Service. */}}
{{- define "observability.configmap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "common.metadata" (dict "root" .root "name" "observability" "component" .component) | nindent 2 }}
data:
  {{- toYaml .data | nindent 2 }}
{{- end -}}

{{- define "observability.service" -}}
{{- $names := dict "root" .root "name" "observability" "component" .component }}
apiVersion: v1
kind: Service
metadata:
  {{- include "common.metadata" $names | nindent 2 }}
spec:
  selector:
    {{- include "common.selectorLabels" $names | nindent 4 }}
  ports:
    {{- range $name, $port := .ports }}
    - name: {{ $name }}
      port: {{ $port }}
      targetPort: {{ $name }}
    {{- end }}
{{- end -}}

{{/* How to open what is on, for notes: the umbrella's, too. */}}
{{- define "observability.doors" -}}
{{- $ports := dict "prometheus" 9090 "alertmanager" 9093 "jaeger" 16686 -}}
{{- range $component := list "prometheus" "alertmanager" "jaeger" }}
{{- if (index $.Values $component).enabled }}
{{- $port := index $ports $component }}
  kubectl --namespace {{ $.Release.Namespace }} port-forward svc/{{ include "observability.fullname" (dict "context" $ "component" $component) }} {{ $port }}    # {{ title $component }}: http://localhost:{{ $port }}
{{- end }}
{{- end }}
{{- end -}}
