extensions:
  healthcheckv2:
    use_v2: true
    http:
      endpoint: 0.0.0.0:13133
receivers:
  otlp:
    protocols:
      http:
        endpoint: 0.0.0.0:4318
processors:
  # First, so that a flood is refused (503, senders try again) before it is held.
  memory_limiter:
    check_interval: 1s
    limit_percentage: 80
    spike_limit_percentage: 20
  # The edge writes the attribute before it knows whether a request has a session.
  transform/empty:
    error_mode: ignore
    trace_statements:
      - delete_key(span.attributes, "session.id") where span.attributes["session.id"] == ""
  tail_sampling:
    decision_wait: {{ .Values.collector.sampling.wait }}
    num_traces: {{ .Values.collector.sampling.traces }}
    policies:
      - name: errors
        type: status_code
        status_code:
          status_codes: [ERROR]
      - name: slow
        type: latency
        latency:
          threshold_ms: {{ .Values.collector.sampling.slowMs }}
      - name: rest
        type: probabilistic
        probabilistic:
          sampling_percentage: {{ .Values.collector.sampling.percentage }}
  batch:
    timeout: 1s
exporters:
  otlphttp:
    endpoint: {{ include "observability.tracesEndpoint" . }}
service:
  extensions: [healthcheckv2]
  telemetry:
    logs:
      encoding: json
    metrics:
      readers:
        - pull:
            exporter:
              prometheus:
                host: 0.0.0.0
                port: 8888
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, transform/empty, tail_sampling, batch]
      exporters: [otlphttp]
