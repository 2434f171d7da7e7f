{{/* Images. A digest wins over a tag; our own images have the tag of the chart's appVersion. */}}

{{/* (dict "root" $ "image" .Values.image) -> the reference. */}}
{{- define "common.image" -}}
{{- $repository := .image.repository -}}
{{- with (.root.Values.global).imageRegistry -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) $repository -}}
{{- end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $repository .image.digest -}}
{{- else -}}
{{- $tag := .image.tag | default .root.Chart.AppVersion | toString -}}
{{- if eq $tag "latest" -}}
{{- fail (printf "The image %s has the tag latest: name a version or a digest, so that every pod runs the same." $repository) -}}
{{- end -}}
{{- printf "%s:%s" $repository $tag -}}
{{- end -}}
{{- end -}}

{{/* The lines `image` and `imagePullPolicy` of a container. */}}
{{- define "common.imageLines" -}}
image: {{ include "common.image" . | quote }}
imagePullPolicy: {{ .image.pullPolicy | default "IfNotPresent" }}
{{- end -}}
