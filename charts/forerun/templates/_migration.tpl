{{/*
forerun.migrations: the migrations of an app, resolved.
  in: model, app; sets on onto: values, path, container (name), delivery, jobName, weight, base, labels,
  securityContext (the restricted one under the app's), volumes, volumeNames, steps
*/}}
{{- define "forerun.migrations" -}}
{{- $result := .onto -}}
{{- $model := .model -}}
{{- $app := .app -}}
{{- $values := $app.values.migrations -}}
{{- $path := printf "%s.migrations" $app.path -}}
{{- $hook := default dict $values.hook -}}
{{- $delivery := default "helm" $hook.delivery -}}
{{- $base := include "forerun.name" (dict "base" (printf "%s-migrations" $app.name)) -}}
{{- $container := $values.container -}}
{{- if $container -}}
{{- if not (hasKey $app.containers $container) -}}
{{- fail (printf "%s.container: there is no container %q; there are: %s" $path $container (join ", " $app.containerNames)) -}}
{{- end -}}
{{- else if or (hasKey $app.containers "main") (eq (len $app.containers) 1) -}}
{{- $container = first $app.containerNames -}}
{{- else -}}
{{- fail (printf "%s.container is missing: say which of %s the migrations reuse" $path (join ", " $app.containerNames)) -}}
{{- end -}}
{{- $standard := deepCopy $model.standardLabels -}}
{{- $_ := set $standard "app.kubernetes.io/name" $base -}}
{{- $_ := set $standard "app.kubernetes.io/component" "migration" -}}
{{- $securityContext := include "forerun.restrictedContainer" . | fromYaml -}}
{{- include "forerun.overlay" (dict "onto" $securityContext "from" $app.settings.containerSecurityContext) -}}
{{- include "forerun.overlay" (dict "onto" $securityContext "from" (default dict (get $app.containers $container).securityContext)) -}}
{{- $_ := set $result "values" $values -}}
{{- $_ := set $result "path" $path -}}
{{- $_ := set $result "container" $container -}}
{{- $_ := set $result "delivery" $delivery -}}
{{- $_ := set $result "jobName" (default (ternary "hash" "fixed" (eq $delivery "plain")) $values.jobName) -}}
{{- $_ := set $result "weight" (int64 (default 0 $hook.weight)) -}}
{{- $_ := set $result "hook" $hook -}}
{{- $_ := set $result "base" $base -}}
{{- $_ := set $result "standardLabels" $standard -}}
{{- $_ := set $result "securityContext" $securityContext -}}
{{- include "forerun.migrationVolumes" (dict "model" $model "app" $app "values" $values "onto" $result) -}}
{{- $steps := list -}}
{{- $names := dict -}}
{{- range $index, $own := default (list dict) $values.steps -}}
{{- $step := dict "index" $index "values" dict "name" "" "path" $path "own" $own -}}
{{- if $values.steps -}}
{{- $_ := set $step "path" (printf "%s.steps[%d]" $path $index) -}}
{{- if not $own.name -}}
{{- fail (printf "%s.name is missing" $step.path) -}}
{{- end -}}
{{- if hasKey $names $own.name -}}
{{- fail (printf "%s.name: %q is there twice" $step.path $own.name) -}}
{{- end -}}
{{- $_ := set $names $own.name true -}}
{{- $_ := set $step "name" $own.name -}}
{{- end -}}
{{- range $layer := list $values $own -}}
{{- range $key := list "args" "command" "image" "imageTag" "imageDigest" "imagePullPolicy" "workingDir" "backoffLimit" "envFrom" "secretRefs" "initContainers" "resources" "timeout" "lockTimeout" "waitForDatabase" "guard" "securityContext" "volumeMounts" "fatalExitCodes" -}}
{{- if hasKey $layer $key -}}
{{- $_ := set $step.values $key (get $layer $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $image := dict -}}
{{- include "forerun.migrationImage" (dict "container" (get $app.containers $container) "own" $step.values "onto" $image) -}}
{{- $_ := set $step "image" (include "forerun.image" (dict "values" $image "path" $step.path)) -}}
{{- include "forerun.commandLine" (dict "app" $app "migrations" $result "step" $step) -}}
{{- $steps = append $steps $step -}}
{{- end -}}
{{- $_ := set $result "steps" $steps -}}
{{- end -}}

{{/*
forerun.commandLine: what a step runs. The args of the application are never used: they start its server.
  in: app, migrations, step; sets on step: command, args (lists of text, maybe empty), namesForerun (the command is
  forerun)
*/}}
{{- define "forerun.commandLine" -}}
{{- $container := get .app.containers .migrations.container -}}
{{- $given := dict -}}
{{- if hasKey .step.values "command" -}}
{{- $_ := set $given "command" .step.values.command -}}
{{- else if not (hasKey .step.values "image") -}}
{{- $_ := set $given "command" (default list $container.command) -}}
{{- end -}}
{{- if hasKey .step.values "args" -}}
{{- $_ := set $given "args" .step.values.args -}}
{{- else if not (or (hasKey .step.values "command") .step.values.guard) -}}
{{- $_ := set $given "args" (list "migrate" "up") -}}
{{- end -}}
{{- $_ := set .step "command" list -}}
{{- $_ := set .step "args" list -}}
{{- include "forerun.copyTexts" (dict "from" $given "onto" .step "keys" (list "command" "args")) -}}
{{- $program := first (append .step.command "") -}}
{{- $_ := set .step "namesForerun" (eq "forerun" (last (splitList "/" $program))) -}}
{{- if and .step.values.guard (not .step.command) -}}
{{- fail (printf "%s.guard needs a command to run under `forerun exec`: set %s.command (the image's own entrypoint cannot be known here)" .step.path .step.path) -}}
{{- end -}}
{{- end -}}

{{/*
forerun.migrationVolumes: the app's volumes that hold configuration, and the migrations' own. A claim or a path on a
node may be in use by the version that still runs.
  in: model, app, values; sets on onto: volumes (list), volumeNames (dict)
*/}}
{{- define "forerun.migrationVolumes" -}}
{{- $sources := list "configMap" "secret" "projected" "downwardAPI" "emptyDir" "csi" -}}
{{- if semverCompare ">=1.35.0-0" .model.kubeVersion -}}
{{- $sources = append $sources "image" -}}
{{- end -}}
{{- $own := dict -}}
{{- range $volume := default list .values.volumes -}}
{{- $_ := set $own $volume.name $volume -}}
{{- end -}}
{{- $volumes := list -}}
{{- range $volume := default list .app.values.volumes -}}
{{- $kept := false -}}
{{- range $source := $sources -}}
{{- if hasKey $volume $source -}}
{{- $kept = true -}}
{{- end -}}
{{- end -}}
{{- if and $kept (not (hasKey $own $volume.name)) -}}
{{- $volumes = append $volumes $volume -}}
{{- end -}}
{{- end -}}
{{- $volumes = concat $volumes (default list .values.volumes) -}}
{{- $names := dict -}}
{{- range $volume := $volumes -}}
{{- $_ := set $names $volume.name true -}}
{{- end -}}
{{- $_ := set .onto "volumes" $volumes -}}
{{- $_ := set .onto "volumeNames" $names -}}
{{- end -}}

{{/*
forerun.migrationContainer: the container that runs a step.
  in: model, app, migrations, step, name, onto
*/}}
{{- define "forerun.migrationContainer" -}}
{{- $container := get .app.containers .migrations.container -}}
{{- $containerPath := printf "%s.containers.%s" .app.path .migrations.container -}}
{{- $step := .step -}}
{{- $result := .onto -}}
{{- $_ := set $result "name" .name -}}
{{- $_ := set $result "image" $step.image -}}
{{- include "forerun.copyKeys" (dict "from" $container "onto" $result "keys" (list "imagePullPolicy" "workingDir" "resources")) -}}
{{- include "forerun.copyKeys" (dict "from" $step.values "onto" $result "keys" (list "imagePullPolicy" "workingDir" "resources")) -}}
{{- if not (hasKey $result "resources") -}}
{{- $_ := set $result "resources" (dict "requests" (dict "cpu" "100m" "memory" "128Mi") "limits" (dict "memory" "512Mi")) -}}
{{- end -}}
{{- if $step.values.guard -}}
{{- $_ := set $result "command" (concat (list "/forerun-bin/forerun" "exec" "--") $step.command $step.args) -}}
{{- else -}}
{{- include "forerun.copyKeys" (dict "from" $step "onto" $result "keys" (list "command" "args")) -}}
{{- end -}}
{{- $environment := dict -}}
{{- include "forerun.env" (dict "model" .model "values" $container "path" $containerPath "onto" $environment) -}}
{{- range $layer := list (dict "values" .migrations.values "path" .migrations.path) (dict "values" $step.own "path" $step.path) -}}
{{- $own := dict -}}
{{- include "forerun.env" (dict "model" $.model "values" (dict "env" $layer.values.env) "path" $layer.path "onto" $own) -}}
{{- include "forerun.overlayEnv" (dict "onto" $environment "from" $own.env) -}}
{{- end -}}
{{- include "forerun.addSecretRefs" (dict "model" .model "names" (default list $step.values.secretRefs) "path" $step.path "onto" $environment) -}}
{{- range $key, $variable := dict "timeout" "MIGRATION_TIMEOUT" "lockTimeout" "MIGRATION_LOCK_TIMEOUT" -}}
{{- if hasKey $step.values $key -}}
{{- $seconds := include "forerun.seconds" (dict "value" (get $step.values $key) "path" (printf "%s.%s" $step.path $key)) -}}
{{- $_ := set $step $variable (dict "name" $variable "value" $seconds) -}}
{{- end -}}
{{- end -}}
{{- range $variable := list "MIGRATION_TIMEOUT" "MIGRATION_LOCK_TIMEOUT" -}}
{{- if hasKey $step $variable -}}
{{- include "forerun.addVariable" (dict "onto" $environment "variable" (get $step $variable)) -}}
{{- end -}}
{{- end -}}
{{- with include "forerun.release" $step.image -}}
{{- include "forerun.addVariable" (dict "onto" $environment "variable" (dict "name" "FORERUN_RELEASE" "value" .)) -}}
{{- end -}}
{{- include "forerun.envFrom" (dict "model" .model "values" $container "path" $containerPath "onto" $environment) -}}
{{- $envFrom := $environment.envFrom -}}
{{- include "forerun.envFrom" (dict "model" .model "values" $step.values "path" $step.path "onto" $environment) -}}
{{- $_ := set $environment "envFrom" (concat $envFrom $environment.envFrom) -}}
{{- include "forerun.copyKeys" (dict "from" $environment "onto" $result "keys" (list "env" "envFrom")) -}}
{{- include "forerun.migrationMounts" (dict "migrations" .migrations "container" $container "step" $step "onto" $result) -}}
{{- $securityContext := deepCopy .migrations.securityContext -}}
{{- include "forerun.overlay" (dict "onto" $securityContext "from" (default dict $step.values.securityContext)) -}}
{{- $_ := set $result "securityContext" $securityContext -}}
{{- $_ := set $result "terminationMessagePath" "/dev/termination-log" -}}
{{- $_ := set $result "terminationMessagePolicy" "FallbackToLogsOnError" -}}
{{- end -}}

{{/*
forerun.migrationMounts: the container's mounts whose volume was kept, the migrations' own, the binary of a guard, and
a writable /tmp.
  in: migrations, container, step, onto
*/}}
{{- define "forerun.migrationMounts" -}}
{{- $own := dict -}}
{{- range $index, $mount := default list .step.values.volumeMounts -}}
{{- if not (hasKey $.migrations.volumeNames $mount.name) -}}
{{- fail (printf "%s.volumeMounts[%d]: there is no volume %q; claims, paths on nodes and (before Kubernetes 1.35) images are not taken over from the deployment: give it in %s.volumes" $.step.path $index $mount.name $.migrations.path) -}}
{{- end -}}
{{- $_ := set $own $mount.mountPath $mount -}}
{{- end -}}
{{- $mounts := list -}}
{{- range $mount := default list .container.volumeMounts -}}
{{- if and (hasKey $.migrations.volumeNames $mount.name) (not (hasKey $own $mount.mountPath)) -}}
{{- $mounts = append $mounts $mount -}}
{{- end -}}
{{- end -}}
{{- $mounts = concat $mounts (default list .step.values.volumeMounts) -}}
{{- if .step.values.guard -}}
{{- $mounts = append $mounts (dict "name" "forerun-bin" "mountPath" "/forerun-bin") -}}
{{- end -}}
{{- $temporary := false -}}
{{- range $mount := $mounts -}}
{{- if eq $mount.mountPath "/tmp" -}}
{{- $temporary = true -}}
{{- end -}}
{{- end -}}
{{- if not $temporary -}}
{{- $mounts = append $mounts (dict "name" "forerun-tmp" "mountPath" "/tmp") -}}
{{- end -}}
{{- $_ := set .onto "volumeMounts" $mounts -}}
{{- end -}}

{{/*
forerun.engineOptions: the options of forerun found in what a step runs, as they are written there: where the database
and the bookkeeping are, for which release, and those of `names`. Under `guard` they are the options of another tool.
  in: step, names (of further long options); sets on onto: options (list)
*/}}
{{- define "forerun.engineOptions" -}}
{{- $names := concat .names (list "--url" "--history-schema" "--release") -}}
{{- $options := list -}}
{{- $name := "" -}}
{{- $arguments := .step.args -}}
{{- if .step.namesForerun -}}
{{- $arguments = concat (rest .step.command) $arguments -}}
{{- end -}}
{{- if .step.values.guard -}}
{{- $arguments = list -}}
{{- end -}}
{{- range $argument := $arguments -}}
{{- if $name -}}
{{- $options = append (append $options $name) $argument -}}
{{- $name = "" -}}
{{- else if or (eq $argument "-u") (has $argument $names) -}}
{{- $name = $argument -}}
{{- else if or (regexMatch "^-u." $argument) (and (contains "=" $argument) (has (first (splitList "=" $argument)) $names)) -}}
{{- $options = append $options $argument -}}
{{- end -}}
{{- end -}}
{{- $_ := set .onto "options" $options -}}
{{- end -}}
