{{/*
forerun.migrationJob: the Job of one step, without a name.
  in: model, app, migrations, step, serviceAccount; sets on onto: job
*/}}
{{- define "forerun.migrationJob" -}}
{{- $migrations := .migrations -}}
{{- $step := .step -}}
{{- $main := dict -}}
{{- include "forerun.migrationContainer" (dict "model" .model "app" .app "migrations" $migrations "step" $step "name" "migrate" "onto" $main) -}}
{{- $earlier := list -}}
{{- if eq $migrations.delivery "plain" -}}
{{- range $previous := slice $migrations.steps 0 $step.index -}}
{{- $container := dict -}}
{{- $name := include "forerun.name" (dict "base" (printf "step-%s" $previous.name)) -}}
{{- include "forerun.migrationContainer" (dict "model" $.model "app" $.app "migrations" $migrations "step" $previous "name" $name "onto" $container) -}}
{{- $earlier = append $earlier (dict "container" $container "step" $previous) -}}
{{- end -}}
{{- end -}}
{{- $deadline := ternary 270 3600 (eq $migrations.delivery "helm") -}}
{{- if hasKey $step.values "timeout" -}}
{{- $deadline = int64 (include "forerun.seconds" (dict "value" $step.values.timeout "path" (printf "%s.timeout" $step.path))) -}}
{{- end -}}
{{- include "forerun.job" (dict "model" .model "app" .app "migrations" $migrations "step" $step "label" $step.name "main" $main "fatal" $step.values "earlier" $earlier "deadline" $deadline "serviceAccount" .serviceAccount "onto" .onto) -}}
{{- end -}}

{{/*
forerun.job: a Job that does what a step says, without a name.
  in: model, app, migrations, step, label (of the step, maybe empty), main (the container), fatal (with its
  fatalExitCodes, if any), earlier (steps that it runs before), deadline, serviceAccount; sets on onto: job
*/}}
{{- define "forerun.job" -}}
{{- $model := .model -}}
{{- $main := .main -}}
{{- $earlier := .earlier -}}
{{- $migrations := .migrations -}}
{{- $step := .step -}}
{{- $pod := dict "restartPolicy" "Never" "automountServiceAccountToken" false "enableServiceLinks" false -}}
{{- $_ := set $pod "terminationGracePeriodSeconds" 60 -}}
{{- include "forerun.copyKeys" (dict "from" $migrations.values "onto" $pod "keys" (list "terminationGracePeriodSeconds")) -}}
{{- include "forerun.podFields" (dict "model" $model "app" .app "onto" $pod) -}}
{{- if .serviceAccount -}}
{{- $_ := set $pod "serviceAccountName" .serviceAccount -}}
{{- end -}}
{{- $securityContext := include "forerun.restrictedPod" . | fromYaml -}}
{{- include "forerun.overlay" (dict "onto" $securityContext "from" .app.settings.securityContext) -}}
{{- include "forerun.overlay" (dict "onto" $securityContext "from" (default dict $migrations.values.podSecurityContext)) -}}
{{- $_ := set $pod "securityContext" $securityContext -}}
{{- $_ := set $pod "containers" (list $main) -}}
{{- include "forerun.jobInitContainers" (dict "model" $model "app" .app "migrations" $migrations "step" $step "earlier" $earlier "main" $main "onto" $pod) -}}
{{- include "forerun.jobVolumes" (dict "migrations" $migrations "onto" $pod) -}}
{{- $labels := list (default dict $migrations.values.labels) -}}
{{- $standard := deepCopy $migrations.standardLabels -}}
{{- if .label -}}
{{- $_ := set $standard "forerun.dev/step" .label -}}
{{- end -}}
{{- $template := dict "spec" $pod -}}
{{- $careful := dict "cluster-autoscaler.kubernetes.io/safe-to-evict" "false" "karpenter.sh/do-not-disrupt" "true" "sidecar.istio.io/nativeSidecar" "true" "config.linkerd.io/proxy-enable-native-sidecar" "true" "kubectl.kubernetes.io/default-container" "migrate" -}}
{{- $checksum := dict -}}
{{- include "forerun.checksum" (dict "model" $model "pod" $pod "onto" $checksum) -}}
{{- include "forerun.metadata" (dict "model" (dict "labels" $model.labels "annotations" (merge $careful $checksum.annotations)) "labels" $labels "annotations" (list $model.annotations .app.settings.podAnnotations $migrations.values.annotations $migrations.values.podAnnotations) "standardLabels" $standard "onto" $template) -}}
{{- $spec := dict "parallelism" 1 "completions" 1 "backoffLimit" 2 "ttlSecondsAfterFinished" 604800 "template" $template -}}
{{- include "forerun.copyKeys" (dict "from" $step.values "onto" $spec "keys" (list "backoffLimit")) -}}
{{- include "forerun.copyKeys" (dict "from" $migrations.values "onto" $spec "keys" (list "ttlSecondsAfterFinished")) -}}
{{- $_ := set $spec "activeDeadlineSeconds" .deadline -}}
{{- if semverCompare ">=1.29.0-0" $model.kubeVersion -}}
{{- $_ := set $spec "podReplacementPolicy" "Failed" -}}
{{- end -}}
{{- include "forerun.podFailurePolicy" (dict "model" $model "fatal" .fatal "earlier" $earlier "onto" $spec) -}}
{{- $job := dict "apiVersion" "batch/v1" "kind" "Job" "spec" $spec -}}
{{- include "forerun.metadata" (dict "model" $model "labels" $labels "annotations" (list (default dict $migrations.values.annotations)) "standardLabels" $standard "onto" $job) -}}
{{- $_ := set .onto "job" $job -}}
{{- end -}}

{{/*
forerun.jobInitContainers: what runs before and beside the migration.
  in: model, app, migrations, step, earlier, main, onto (a pod spec)
*/}}
{{- define "forerun.jobInitContainers" -}}
{{- $model := .model -}}
{{- $step := .step -}}
{{- $containers := list -}}
{{- range $index, $sidecar := default list .migrations.values.sidecars -}}
{{- $path := printf "%s.sidecars[%d]" $.migrations.path $index -}}
{{- if not (semverCompare ">=1.29.0-0" $model.kubeVersion) -}}
{{- fail (printf "%s: sidecars that end with the Job need Kubernetes 1.29; this is %s" $path $model.kubeVersion) -}}
{{- end -}}
{{- $container := dict "restartPolicy" "Always" -}}
{{- include "forerun.besideContainer" (dict "model" $model "values" $sidecar "path" $path "onto" $container) -}}
{{- $containers = append $containers $container -}}
{{- end -}}
{{- $guard := $step.values.guard -}}
{{- range $previous := .earlier -}}
{{- $guard = or $guard $previous.step.values.guard -}}
{{- end -}}
{{- if $guard -}}
{{- $container := dict -}}
{{- include "forerun.installContainer" (dict "model" $model "onto" $container) -}}
{{- $containers = append $containers $container -}}
{{- end -}}
{{- $wait := $step.values.waitForDatabase -}}
{{- if $wait -}}
{{- $seconds := "300" -}}
{{- if not (kindIs "bool" $wait) -}}
{{- $seconds = include "forerun.seconds" (dict "value" $wait "path" (printf "%s.waitForDatabase" $step.path)) -}}
{{- end -}}
{{- if ne $seconds "0" -}}
{{- $container := dict -}}
{{- include "forerun.engineContainer" (dict "model" $model "name" "wait-for-database" "onto" $container) -}}
{{- $found := dict -}}
{{- include "forerun.engineOptions" (dict "step" $step "names" list "onto" $found) -}}
{{- $_ := set $container "args" (concat (list "migrate" "wait" "--timeout" (printf "%ss" $seconds)) $found.options) -}}
{{- /* Passwords and URLs may be in files. */ -}}
{{- include "forerun.copyKeys" (dict "from" .main "onto" $container "keys" (list "env" "envFrom" "volumeMounts")) -}}
{{- $containers = append $containers $container -}}
{{- end -}}
{{- end -}}
{{- range $index, $own := default list $step.values.initContainers -}}
{{- $container := dict -}}
{{- include "forerun.besideContainer" (dict "model" $model "values" $own "path" (printf "%s.initContainers[%d]" $step.path $index) "onto" $container) -}}
{{- $containers = append $containers $container -}}
{{- end -}}
{{- range $previous := .earlier -}}
{{- $containers = append $containers $previous.container -}}
{{- end -}}
{{- if $containers -}}
{{- $_ := set .onto "initContainers" $containers -}}
{{- end -}}
{{- end -}}

{{/* forerun.besideContainer: a container of the values beside the migration, restricted and small unless it says otherwise. in: model, values, path, onto */}}
{{- define "forerun.besideContainer" -}}
{{- include "forerun.container" (dict "model" .model "name" .values.name "values" .values "path" .path "onto" .onto) -}}
{{- if not .onto.securityContext -}}
{{- $_ := set .onto "securityContext" (include "forerun.restrictedContainer" . | fromYaml) -}}
{{- end -}}
{{- if not .onto.resources -}}
{{- $_ := set .onto "resources" (include "forerun.engineResources" . | fromYaml) -}}
{{- end -}}
{{- end -}}

{{/* forerun.jobVolumes: the volumes that some container of the pod mounts. in: migrations, onto (a pod spec) */}}
{{- define "forerun.jobVolumes" -}}
{{- $mounted := dict -}}
{{- range $container := concat (default list .onto.initContainers) .onto.containers -}}
{{- range $mount := default list $container.volumeMounts -}}
{{- if not (or (hasKey $.migrations.volumeNames $mount.name) (has $mount.name (list "forerun-bin" "forerun-tmp"))) -}}
{{- fail (printf "%s: container %s mounts the volume %q, which is not there; claims, paths on nodes and (before Kubernetes 1.35) images are not taken over from the deployment: give it in %s.volumes" $.migrations.path $container.name $mount.name $.migrations.path) -}}
{{- end -}}
{{- $_ := set $mounted $mount.name true -}}
{{- end -}}
{{- end -}}
{{- $volumes := list -}}
{{- range $volume := .migrations.volumes -}}
{{- if hasKey $mounted $volume.name -}}
{{- $volumes = append $volumes $volume -}}
{{- end -}}
{{- end -}}
{{- range $name := list "forerun-bin" "forerun-tmp" -}}
{{- if and (hasKey $mounted $name) (not (hasKey $.migrations.volumeNames $name)) -}}
{{- $volumes = append $volumes (dict "name" $name "emptyDir" dict) -}}
{{- end -}}
{{- end -}}
{{- if $volumes -}}
{{- $_ := set .onto "volumes" $volumes -}}
{{- end -}}
{{- end -}}

{{/*
forerun.podFailurePolicy: a drained node costs no try, a fatal exit code ends the Job, a temporary one is tried again.
  in: model, fatal, earlier, onto (a Job spec)
*/}}
{{- define "forerun.podFailurePolicy" -}}
{{- if semverCompare ">=1.26.0-0" .model.kubeVersion -}}
{{- $rules := list (dict "action" "Ignore" "onPodConditions" (list (dict "type" "DisruptionTarget" "status" "True"))) -}}
{{- $containers := list -}}
{{- range $container := default list .onto.template.spec.initContainers -}}
{{- if eq $container.name "wait-for-database" -}}
{{- $containers = append $containers (dict "name" $container.name "step" (dict "values" dict)) -}}
{{- end -}}
{{- end -}}
{{- range $previous := .earlier -}}
{{- $containers = append $containers (dict "name" $previous.container.name "step" $previous.step) -}}
{{- end -}}
{{- range $container := append $containers (dict "name" "migrate" "step" (dict "values" .fatal)) -}}
{{- $codes := list 2 3 4 5 -}}
{{- if hasKey $container.step.values "fatalExitCodes" -}}
{{- /* Kubernetes wants them in order, each once. */ -}}
{{- $given := dict -}}
{{- range $code := $container.step.values.fatalExitCodes -}}
{{- $_ := set $given (toString $code) true -}}
{{- end -}}
{{- $codes = list -}}
{{- range $code := untilStep 1 256 1 -}}
{{- if hasKey $given (toString $code) -}}
{{- $codes = append $codes $code -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $codes -}}
{{- $rules = append $rules (dict "action" "FailJob" "onExitCodes" (dict "containerName" $container.name "operator" "In" "values" $codes)) -}}
{{- end -}}
{{- end -}}
{{- $rules = append $rules (dict "action" "Count" "onExitCodes" (dict "containerName" "migrate" "operator" "In" "values" (list 75))) -}}
{{- $_ := set .onto "podFailurePolicy" (dict "rules" $rules) -}}
{{- end -}}
{{- end -}}

{{/*
forerun.jobNameOf: the name of a step's Job.
  in: app, migrations, step, job
*/}}
{{- define "forerun.jobNameOf" -}}
{{- $base := printf "%s-migrations" .app.name -}}
{{- if .step.name -}}
{{- $base = printf "%s-%s" $base .step.name -}}
{{- end -}}
{{- $suffix := "" -}}
{{- if eq .migrations.jobName "hash" -}}
{{- $suffix = printf "-%s" (toJson .job.spec | sha256sum | trunc 10) -}}
{{- else if eq .migrations.jobName "timestamp" -}}
{{- $stamp := now | unixEpoch -}}
{{- if hasKey .migrations.values "stamp" -}}
{{- $stamp = include "forerun.text" .migrations.values.stamp -}}
{{- end -}}
{{- if not (regexMatch "^[0-9]{1,20}$" $stamp) -}}
{{- fail (printf "%s.stamp: %q is not a number of at most 20 digits" .migrations.path $stamp) -}}
{{- end -}}
{{- $suffix = printf "-%s" $stamp -}}
{{- end -}}
{{- include "forerun.name" (dict "base" $base "suffix" $suffix) -}}
{{- end -}}
