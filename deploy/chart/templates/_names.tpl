{{/* Names, labels and images. Most take (dict "root" $ "component" "api"). */}}

{{- define "bourse.name" -}}
{{ .root.Release.Name }}-{{ .component }}
{{- end }}

{{- define "bourse.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "bourse.labels" -}}
{{ include "bourse.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "bourse.podLabels" -}}
{{ include "bourse.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end }}

{{- define "bourse.metadata" -}}
name: {{ include "bourse.name" . }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "bourse.labels" . | nindent 2 }}
{{- end }}

{{/* What the migration needs before anything of the release is there. It goes when
the hooks have succeeded; after a failure it stays to be looked at. */}}
{{- define "bourse.hook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{- define "bourse.image" -}}
{{- $image := .root.Values.image -}}
{{- $name := printf "%s/bourse-%s" $image.repository .component -}}
{{- with index $image.digests .component -}}
{{ $name }}@{{ . }}
{{- else -}}
{{ $name }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "bourse.secretName" -}}
{{- .root.Values.secret.name | default (include "bourse.name" (dict "root" .root "component" "secret")) -}}
{{- end }}

{{- define "bourse.makesSecret" -}}
{{- if or .Values.secret.databaseURL .Values.secret.alphavantageKey }}true{{ end -}}
{{- end }}
