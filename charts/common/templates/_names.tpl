{{/*
Names. Every object of a release is `<release>-<component>`, at most 40 characters long: a Deployment's pods and a
StatefulSet's revisions add up to 17, and labels end at 63. So a chart can name what another chart made.
*/}}

{{/* The release's name, or with a dot in it or beyond 24 characters a short form that is as unique. Takes the root. */}}
{{- define "common.base" -}}
{{- $release := .Release.Name -}}
{{- if not (regexMatch "^[a-z]" $release) -}}
{{- fail (printf "The release is named %q: a Service's name begins with a letter, so let the release's begin with one." $release) -}}
{{- end -}}
{{- if and (le (len $release) 24) (not (contains "." $release)) -}}
{{- $release -}}
{{- else -}}
{{- printf "%s-%s" ($release | replace "." "-" | trunc 18 | trimSuffix "-") (sha256sum $release | trunc 5) -}}
{{- end -}}
{{- end -}}

{{/* (dict "root" $ "component" "users") -> `<release>-users`. */}}
{{- define "common.fullname" -}}
{{- if gt (len .component) 15 -}}
{{- fail (printf "The component's name %q is longer than 15 characters." .component) -}}
{{- end -}}
{{- printf "%s-%s" (include "common.base" .root) .component -}}
{{- end -}}

{{/* The cluster's own domain. Takes the root. */}}
{{- define "common.clusterDomain" -}}
{{- (.Values.global).clusterDomain | default "cluster.local" -}}
{{- end -}}

{{/* (dict "root" $ "component" "redis") -> the Service's name with the cluster's domain: one DNS query, no search list. */}}
{{- define "common.fqdn" -}}
{{- printf "%s.%s.svc.%s" (include "common.fullname" .) .root.Release.Namespace (include "common.clusterDomain" .root) -}}
{{- end -}}
