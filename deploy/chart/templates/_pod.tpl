{{/* What all pods have in common; they pass the Pod Security Standard "restricted". */}}
{{- define "bourse.pod" -}}
serviceAccountName: {{ include "bourse.name" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The start of a container. The programs write no files of their own, so there is not
even a /tmp. */}}
{{- define "bourse.container" -}}
- name: {{ .component }}
  image: {{ include "bourse.image" . }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: { drop: [ALL] }
  resources:
    {{- toYaml .resources | nindent 4 }}
{{- end }}

{{/* The archive, where it is a claim, and the certificates of the database. */}}
{{- define "bourse.volumes" }}
{{- $v := .root.Values }}
{{- if and $v.archive.claim (list "api" "ingest" | has .component) }}
- name: archive
  persistentVolumeClaim: { claimName: {{ $v.archive.claim }}, readOnly: {{ eq .component "api" }} }
{{- end }}
{{- if and $v.database.certificates (list "api" "ingest" "migrate" | has .component) }}
- name: certificates
  configMap: { name: {{ $v.database.certificates }} }
{{- end }}
{{- end }}

{{- define "bourse.mounts" }}
{{- range include "bourse.volumes" . | fromYamlArray }}
{{- if eq .name "archive" }}
- { name: archive, mountPath: /archive, readOnly: {{ .persistentVolumeClaim.readOnly }} }
{{- else }}
- { name: {{ .name }}, mountPath: /etc/pki/tls/certs, readOnly: true } # where Go looks, beside the image's own
{{- end }}
{{- end }}
{{- end }}

{{/* The hash of what a pod reads at its start, so that a change of it rolls the pods. */}}
{{- define "bourse.checksums" -}}
checksum/settings: {{ include "bourse.settings" . | sha256sum }}
{{- if include "bourse.makesSecret" .root }}
checksum/secret: {{ toJson .root.Values.secret | sha256sum }}
{{- end }}
{{- end }}
