{{/* The component `redis`, as common's templates take it. Takes the root. */}}
{{- define "redis.of" -}}
name: redis-cluster
component: redis
{{- end -}}

{{- define "redis.pods" -}}
{{- mul (int .Values.primaries) (add 1 (int .Values.replicas)) -}}
{{- end -}}

{{- define "redis.tlsSecret" -}}
{{- include "common.redisTlsSecret" . -}}
{{- end -}}

{{/* A Kubernetes quantity of bytes in whole MiB. */}}
{{- define "redis.mebibytes" -}}
{{- $unit := regexFind "[A-Za-z]+$" (toString .) -}}
{{- $bytes := get (dict "" 1 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776) $unit -}}
{{- divf (mulf (toString . | trimSuffix $unit | float64) $bytes) 1048576 | floor | int64 -}}
{{- end -}}

{{/* In MiB: for keys. */}}
{{- define "redis.maxmemory" -}}
{{- if .Values.maxmemory -}}
{{- $number := regexFind "^[0-9]+" .Values.maxmemory | int64 -}}
{{- ternary (mul $number 1024) $number (hasSuffix "gb" .Values.maxmemory) -}}
{{- else -}}
{{- $limit := required "Redis needs resources.limits.memory, half of which becomes maxmemory, or maxmemory itself: without either it takes the node's memory." ((.Values.resources).limits).memory -}}
{{- div (include "redis.mebibytes" $limit | int64) 2 -}}
{{- end -}}
{{- end -}}

{{/* redis.conf. What only a pod knows is added by start.sh. */}}
{{- define "redis.conf" -}}
{{- $own := dict -}}
{{- range $line := include "redis.ownConfig" . | splitList "\n" -}}
{{- if $line -}}{{- $_ := set $own (regexFind "^[a-z-]+" $line) $line -}}{{- end -}}
{{- end -}}
{{- range $name, $value := .Values.extraConfig -}}
{{- if has $name (list "cluster-enabled" "dir" "port" "aclfile" "cluster-config-file" "maxmemory-policy" "masterauth" "requirepass" "user") -}}
{{- fail (printf "extraConfig.%s: the chart decides this one; the manager and the probes depend on it." $name) -}}
{{- end -}}
{{- $_ := set $own $name (printf "%s %s" $name $value) -}}
{{- end -}}
{{- range $name, $line := $own }}
{{ $line }}
{{- end }}
{{ end -}}

{{- define "redis.ownConfig" -}}
{{- $tls := include "redis.tlsSecret" . -}}
bind * -::*
protected-mode no
port {{ ternary 0 6379 (ne $tls "") }}
{{- if $tls }}
tls-port 6379
tls-cert-file /etc/redis-tls/tls.crt
tls-key-file /etc/redis-tls/tls.key
tls-ca-cert-file /etc/redis-tls/ca.crt
tls-auth-clients no
tls-replication yes
tls-cluster yes
{{- end }}
dir /data
appendonly yes
appendfsync everysec
save ""
maxmemory {{ .Values.maxmemory | default (printf "%smb" (include "redis.maxmemory" .)) }}
maxmemory-policy noeviction
cluster-enabled yes
cluster-config-file nodes.conf
cluster-node-timeout {{ int .Values.nodeTimeoutMilliseconds }}
cluster-require-full-coverage no
cluster-allow-replica-migration no
cluster-preferred-endpoint-type hostname
min-replicas-to-write 0
repl-diskless-sync yes
repl-diskless-sync-delay 0
repl-ping-replica-period 1
shutdown-timeout 5
hz 100
hash-max-listpack-value 1024
{{- if .Values.auth.enabled }}
aclfile /etc/polysession/credentials/redis-acl
{{- end }}
{{- end -}}

{{/* Environment of what asks Redis as its manager: manager and guard. */}}
{{- define "redis.operationsEnv" -}}
OPERATIONS_NODES: {{ printf "%s-{ordinal}.%s:6379" (include "common.fullname" (dict "root" . "component" "redis")) (include "common.redisNodesDomain" .) }}
OPERATIONS_PRIMARIES: {{ int .Values.primaries }}
OPERATIONS_REPLICAS: {{ int .Values.replicas }}
{{- if .Values.auth.enabled }}
OPERATIONS_USERNAME: manager
OPERATIONS_PASSWORD_FILE: /etc/polysession/credentials/redis-manager-password
{{- end }}
{{- if include "redis.tlsSecret" . }}
OPERATIONS_TLS_CA_FILE: /etc/redis-tls/ca.crt
{{- end }}
{{- end -}}

{{/* (dict "root" $ "keys" <list of entries>) */}}
{{- define "redis.operationsVolumes" -}}
{{ include "common.tmpVolume" "16Mi" }}
{{- if .root.Values.auth.enabled }}
{{ include "common.credentialsVolume" . }}
{{- end }}
{{ include "redis.caVolume" .root }}
{{- end -}}

{{/* With TLS: what clients know of it. Takes the root. */}}
{{- define "redis.caVolume" -}}
{{- with include "redis.tlsSecret" . }}
- name: tls
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      - key: ca.crt
        path: ca.crt
{{- end }}
{{- end -}}

{{- define "redis.operationsMounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .Values.auth.enabled }}
- name: credentials
  mountPath: /etc/polysession/credentials
  readOnly: true
{{- end }}
{{ include "redis.caMount" . }}
{{- end -}}

{{- define "redis.caMount" -}}
{{- if include "redis.tlsSecret" . }}
- name: tls
  mountPath: /etc/redis-tls
  readOnly: true
{{- end }}
{{- end -}}

{{/* An item of `egress`: the nodes. */}}
{{- define "redis.egressNodes" -}}
{{ include "common.egressDns" . }}
{{ include "common.egressTo" (dict "root" . "components" (list "redis") "port" 6379) }}
{{- end -}}

{{- define "redis.rules" -}}
{{- if and .Values.podDisruptionBudget.enabled (ne (toString .Values.podDisruptionBudget.maxUnavailable) "1") -}}
{{- fail "podDisruptionBudget.maxUnavailable of Redis is not 1: a drain could then take both pods of a shard." -}}
{{- end -}}
{{- if and (eq .Values.topologySpread "hard") (not .Values.persistence.enabled) -}}
{{- fail "topologySpread hard without persistence: a pod that finds no node would lose its data; use soft." -}}
{{- end -}}
{{- $keys := include "redis.maxmemory" . | int64 -}}
{{- with ((.Values.resources).limits).memory -}}
{{- $most := div (mul (include "redis.mebibytes" . | int64) 3) 4 -}}
{{- if gt $keys $most -}}
{{- fail (printf "maxmemory of Redis is %dmb, more than three quarters of its memory limit %s: a fork's copy and buffers would have the pod killed. Set maxmemory to %dmb at most, resources.limits.memory to %dMi at least (twice is better), or leave maxmemory out for half the limit." $keys (toString .) $most (div (add (mul $keys 4) 2) 3)) -}}
{{- end -}}
{{- end -}}
{{- with .Values.persistence -}}
{{- if and .enabled (lt (include "redis.mebibytes" .size | int64) (mul $keys 3)) -}}
{{- fail (printf "persistence.size of Redis is %s, but its append-only file takes up to three times maxmemory (%dmb) while it is rewritten. Set persistence.size to %dMi at least; where the first install has fixed it, set maxmemory to %dmb at most." .size $keys (mul $keys 3) (div (include "redis.mebibytes" .size | int64) 3)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
