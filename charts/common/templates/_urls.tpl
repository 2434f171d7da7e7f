{{/* Where things are: the origin that browsers use, the Collector, Redis. All take the root. */}}

{{/* The origin: https, or http on loopback for development. It decides the cookies' flags, so anything else is refused. */}}
{{- define "common.publicUrl" -}}
{{- $url := (.Values.global).publicUrl | default "" -}}
{{- if not $url -}}
{{- fail "Set global.publicUrl to the origin that browsers use, e.g. https://shop.example.com." -}}
{{- end -}}
{{- if not (regexMatch "^https?://(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(:[0-9]{1,5})?$" $url) -}}
{{- fail (printf "global.publicUrl is %q: write an origin and nothing after it, e.g. https://shop.example.com." $url) -}}
{{- end -}}
{{- $loopback := regexMatch "^http://(localhost|([A-Za-z0-9-]+\\.)+localhost|127\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}|\\[::1\\])(:[0-9]+)?$" $url -}}
{{- if and (hasPrefix "http://" $url) (not $loopback) -}}
{{- fail (printf "global.publicUrl is %q: http is for loopback only, in development. Use https, or session cookies would cross the network in the clear." $url) -}}
{{- end -}}
{{- $url -}}
{{- end -}}

{{/* Its host, without the port: what an Ingress or HTTPRoute listens to. */}}
{{- define "common.publicHost" -}}
{{- include "common.publicUrl" . | regexFind "//(\\[[^]]+\\]|[^:/]+)" | trimPrefix "//" -}}
{{- end -}}

{{/* Where OTLP over HTTP goes: an existing Collector, the release's own, or nowhere (empty). */}}
{{- define "common.otlpEndpoint" -}}
{{- $global := .Values.global | default dict -}}
{{- if $global.otlpEndpoint -}}
{{- if not (regexMatch "^https?://[^/ ]+/?$" $global.otlpEndpoint) -}}
{{- fail (printf "global.otlpEndpoint is %q: write http://host:port and no path (OTLP over HTTP, usually port 4318)." $global.otlpEndpoint) -}}
{{- end -}}
{{- trimSuffix "/" $global.otlpEndpoint -}}
{{- else if ($global.collector).enabled -}}
{{- printf "http://%s:4318" (include "common.fullname" (dict "root" . "component" "collector")) -}}
{{- end -}}
{{- end -}}

{{/* Redis nodes to begin with, `host:port,…`: an existing cluster's, or the release's Service of ready pods. */}}
{{- define "common.redisNodes" -}}
{{- with ((.Values.global).redis).nodes -}}
{{- join "," . -}}
{{- else -}}
{{- printf "%s:6379" (include "common.fqdn" (dict "root" . "component" "redis")) -}}
{{- end -}}
{{- end -}}

{{/* Domain of the names of the release's own Redis pods: `<release>-redis-0.<domain>`. */}}
{{- define "common.redisNodesDomain" -}}
{{- include "common.fqdn" (dict "root" . "component" "redis-nodes") -}}
{{- end -}}
