package main

// What pods the values ask for, beside the configuration. The version is the one that the
// add-on's image is built from.
const nodeValues = `
image:
  tag: "5.0.7"

serviceAccount:
  name: fluent-bit
rbac:
  nodeAccess: true # the kubelet knows the pods of its node

# The kubelet is asked on the node's own address.
hostNetwork: true
dnsPolicy: ClusterFirstWithHostNet

priorityClassName: system-node-critical
terminationGracePeriodSeconds: 10
tolerations:
  - operator: Exists
resources:
  requests: { cpu: 50m, memory: 64Mi }
  limits: { memory: 250Mi }
securityContext: # root, who owns the logs, and no more
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
  seccompProfile: { type: RuntimeDefault }

env:
  - name: HOST_NAME
    valueFrom: { fieldRef: { fieldPath: spec.nodeName } }
envWithTpl:
  - name: AWS_REGION
    value: '{{ required "region is not set" .Values.region }}'
  - name: CLUSTER_NAME
    value: '{{ required "clusterName is not set" .Values.clusterName }}'

daemonSetVolumes:
  - name: varlog
    hostPath: { path: /var/log }
daemonSetVolumeMounts:
  - { name: varlog, mountPath: /var/log, readOnly: true }
extraVolumes:
  - name: state
    hostPath: { path: /var/fluent-bit/state, type: DirectoryOrCreate }
extraVolumeMounts:
  - { name: state, mountPath: /var/fluent-bit/state }

testFramework:
  enabled: false
`

const eventsValues = `
kind: Deployment
replicaCount: 1 # a second one would send all events again
image:
  tag: "5.0.7"

serviceAccount:
  name: fluent-bit-events # Terraform gives it its role (modules/cluster)
rbac:
  eventsAccess: true

terminationGracePeriodSeconds: 10
resources:
  requests: { cpu: 10m, memory: 32Mi }
  limits: { memory: 128Mi }
podSecurityContext:
  runAsNonRoot: true
  runAsUser: 65532
  fsGroup: 65532
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
  seccompProfile: { type: RuntimeDefault }

envWithTpl:
  - name: AWS_REGION
    value: '{{ required "region is not set" .Values.region }}'
  - name: CLUSTER_NAME
    value: '{{ required "clusterName is not set" .Values.clusterName }}'

extraVolumes:
  - name: state
    emptyDir: { sizeLimit: 256Mi }
extraVolumeMounts:
  - { name: state, mountPath: /var/fluent-bit/state }

testFramework:
  enabled: false
`
