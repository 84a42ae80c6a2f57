{{/* The variables of a component, as a map: what of it is no secret. */}}
{{- define "bourse.settings" -}}
{{- $v := .root.Values }}
{{- $storage := list "api" "ingest" "migrate" | has .component }}
{{- $server := list "api" "web" | has .component }}
{{- $settings := dict "BOURSE_LOG_LEVEL" $v.logLevel }}
{{- if $server }}
  {{- $_ := set $settings "BOURSE_ADDR" ":8080" }}
  {{- $_ := set $settings "BOURSE_ADMIN_ADDR" ":9090" }}
  {{- $_ := set $settings "BOURSE_DRAIN" "3s" }}
{{- end }}
{{- if list "api" "web" "ingest" | has .component }}
  {{- $_ := set $settings "OTEL_RESOURCE_ATTRIBUTES" (printf "service.version=%s" ($v.image.tag | default .root.Chart.AppVersion)) }}
  {{- if $v.traces.endpoint }}
    {{- $_ := set $settings "OTEL_EXPORTER_OTLP_ENDPOINT" $v.traces.endpoint }}
    {{- if $server }}
      {{- $_ := set $settings "OTEL_TRACES_SAMPLER" "parentbased_traceidratio" }}
      {{- $_ := set $settings "OTEL_TRACES_SAMPLER_ARG" (toString $v.traces.sampleRatio) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- if and $storage $v.database.url }}
  {{- $url := $v.database.url }}
  {{- with get $v.database.users .component }}
    {{- $url = regexReplaceAll "://([^/@]*@)?" $url (printf "://%s@" .) }}
  {{- end }}
  {{- $_ := set $settings "BOURSE_DATABASE_URL" $url }}
{{- end }}
{{- with $v.database.users }}
  {{- if and (eq $.component "migrate") .api .ingest .migrate }}
    {{- $_ := set $settings "BOURSE_DATABASE_USERS" (printf "api=%s,ingest=%s,migrate=%s" .api .ingest .migrate) }}
  {{- end }}
{{- end }}
{{- if list "api" "ingest" | has .component }}
  {{- $_ := set $settings "BOURSE_ARCHIVE_URL" ($v.archive.url | default "file:///archive") }}
{{- end }}
{{- if eq .component "api" }}
  {{- $behind := ternary 2 1 (eq $v.exposure "targetGroup") }}
  {{- if not (kindIs "invalid" $v.proxies) }}
    {{- $behind = int $v.proxies }}
  {{- end }}
  {{- $_ := set $settings "BOURSE_PROXIES" (toString $behind) }}
  {{- $_ := set $settings "BOURSE_CLIENT_RATE" (toString $v.api.clientRate) }}
  {{- $_ := set $settings "BOURSE_CLIENT_BURST" (toString $v.api.clientBurst) }}
{{- end }}
{{- if eq .component "web" }}
  {{- $api := include "bourse.name" (dict "root" .root "component" "api") }}
  {{- $_ := set $settings "BOURSE_API_URL" (printf "http://%s" $api) }}
  {{- $_ := set $settings "BOURSE_API_REPLICAS" (printf "%s-pods:8080" $api) }}
{{- end }}
{{- if eq .component "ingest" }}
  {{- $urls := dict "BOURSE_ECB_URL" $v.ingest.ecbURL "BOURSE_COINBASE_URL" $v.ingest.coinbaseURL "BOURSE_ALPHAVANTAGE_URL" $v.ingest.alphavantageURL }}
  {{- range $name, $url := $urls }}
    {{- if $url }}{{ $_ := set $settings $name $url }}{{ end }}
  {{- end }}
  {{- $_ := set $settings "BOURSE_COINBASE_PRODUCTS" $v.ingest.coinbaseProducts }}
  {{- $_ := set $settings "BOURSE_ALPHAVANTAGE_SYMBOLS" $v.ingest.alphavantageSymbols }}
  {{- $_ := set $settings "BOURSE_ALPHAVANTAGE_REQUESTS" ($v.ingest.alphavantageRequests | int | toString) }}
{{- end }}
{{- toYaml (merge (deepCopy $v.env) $settings) }}
{{- end }}

{{/* Variables that are not in a ConfigMap: the secrets, each where it is there, and the
memory that Go's collector aims at, 90 % of the limit. */}}
{{- define "bourse.env" }}
{{- $v := .root.Values }}
{{- $secret := include "bourse.secretName" . }}
{{- if not $v.database.url }}
{{- if list "api" "ingest" "migrate" | has .component }}
- name: BOURSE_DATABASE_URL
  valueFrom: { secretKeyRef: { name: {{ .secret | default $secret }}, key: database-url } }
{{- end }}
{{- end }}
{{- if and (eq .component "ingest") (or $v.secret.name $v.secret.alphavantageKey) }}
- name: BOURSE_ALPHAVANTAGE_KEY
  valueFrom: { secretKeyRef: { name: {{ $secret }}, key: alphavantage-key, optional: true } }
{{- end }}
- name: GOMEMLIMIT
  value: {{ include "bourse.gomemlimit" .resources.limits.memory }}
{{- end }}

{{/* 90 % of a quantity in Mi or Gi, as Go spells it. A field reference could give the
limit itself only, with which the collector begins too late. */}}
{{- define "bourse.gomemlimit" -}}
{{- $mebibytes := trimSuffix "Mi" . | trimSuffix "Gi" | int }}
{{- if hasSuffix "Gi" . }}{{ $mebibytes = mul $mebibytes 1024 }}{{ end }}
{{- div (mul $mebibytes 9) 10 }}MiB
{{- end }}
