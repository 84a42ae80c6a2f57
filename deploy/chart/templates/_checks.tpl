{{/* What values.schema.json cannot say: all that is wrong, at once. */}}
{{- define "bourse.checks" -}}
{{- $v := .Values }}
{{- $wrong := list }}

{{- if gt (len .Release.Name) 32 }}
  {{- $wrong = append $wrong (printf "the release's name has %d letters: 32 are the most, so that those of the CronJobs are valid" (len .Release.Name)) }}
{{- end }}
{{- if and (not $v.database.url) (not $v.secret.databaseURL) (not $v.secret.name) }}
  {{- $wrong = append $wrong "name a database: database.url without a password, secret.databaseURL, or secret.name" }}
{{- end }}
{{- if and $v.database.url $v.secret.databaseURL }}
  {{- $wrong = append $wrong "database.url and secret.databaseURL exclude each other" }}
{{- end }}
{{- if and (not $v.database.url) (values $v.database.users | compact) }}
  {{- $wrong = append $wrong "database.users are those of database.url, which is empty" }}
{{- end }}
{{- if regexMatch "://[^/@]*:[^/@]*@|[?&]password=" $v.database.url }}
  {{- $wrong = append $wrong "database.url has a password: use secret.databaseURL or secret.name" }}
{{- end }}
{{- if and $v.secret.name (include "bourse.makesSecret" .) }}
  {{- $wrong = append $wrong "secret.name is a Secret that exists: give no values beside it" }}
{{- end }}
{{- if eq (empty $v.archive.url) (empty $v.archive.claim) }}
  {{- $wrong = append $wrong "name the archive: either archive.url or archive.claim" }}
{{- end }}

{{- if and (eq $v.exposure "targetGroup") (not $v.targetGroup.arn) }}
  {{- $wrong = append $wrong "exposure targetGroup needs targetGroup.arn" }}
{{- end }}
{{- with $v.termination }}
  {{- if ge (int .deregistrationDelaySeconds) (int .preStopSeconds) }}
    {{- $wrong = append $wrong (printf "termination.preStopSeconds is %d: it must be more than deregistrationDelaySeconds (%d), or the load balancer still sends requests to a pod that has closed" (int .preStopSeconds) (int .deregistrationDelaySeconds)) }}
  {{- end }}
  {{- if ge (add (int .preStopSeconds) 25) (int64 .gracePeriodSeconds) }}
    {{- $wrong = append $wrong (printf "termination.gracePeriodSeconds is %d: it must be more than preStopSeconds + 25 (%d), or requests in flight are killed" (int .gracePeriodSeconds) (add (int .preStopSeconds) 25)) }}
  {{- end }}
{{- end }}
{{- range $component := list "api" "web" }}
  {{- with (index $v $component).autoscaling }}
    {{- if gt (int .minReplicas) (int .maxReplicas) }}
      {{- $wrong = append $wrong (printf "%s.autoscaling.maxReplicas is less than minReplicas" $component) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- if and $v.networkPolicy.enabled (not $v.networkPolicy.database.cidrs) }}
  {{- $wrong = append $wrong "networkPolicy.database.cidrs is empty: say where the database is" }}
{{- end }}
{{- if and $v.ingest.enabled (not $v.ingest.schedules) }}
  {{- $wrong = append $wrong "ingest.schedules is empty: name a source, or set ingest.enabled to false" }}
{{- end }}

{{- if $wrong }}
  {{- fail (printf "\nbourse: %s" (join "\nbourse: " $wrong)) }}
{{- end }}
{{- end }}
