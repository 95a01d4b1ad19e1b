{{/*
forerun.closingJob: the Job that says, once the new version is rolled out, that only this release runs, without a name.
It does what the last migration Job does, with the application's own objects, which are there by now.
  in: model, app, migrations, serviceAccount (by the name that the application gives it); sets on onto: job
*/}}
{{- define "forerun.closingJob" -}}
{{- $migrations := .migrations -}}
{{- $step := last $migrations.steps -}}
{{- $main := dict -}}
{{- include "forerun.closingContainer" (dict "model" .model "app" .app "migrations" $migrations "step" $step "onto" $main) -}}
{{- $deadline := 270 -}}
{{- if hasKey $step.values "timeout" -}}
{{- $deadline = min $deadline (int64 (include "forerun.seconds" (dict "value" $step.values.timeout "path" (printf "%s.timeout" $step.path)))) -}}
{{- end -}}
{{- include "forerun.job" (dict "model" .model "app" .app "migrations" $migrations "step" $step "label" "deployed" "main" $main "fatal" dict "earlier" list "deadline" $deadline "serviceAccount" .serviceAccount "onto" .onto) -}}
{{- end -}}

{{/*
forerun.closingContainer: forerun from where the migration has it: the copied binary, the image of the migrations, or
else its own image.
  in: model, app, migrations, step, onto
*/}}
{{- define "forerun.closingContainer" -}}
{{- $step := .step -}}
{{- include "forerun.migrationContainer" (dict "model" .model "app" .app "migrations" .migrations "step" $step "name" "migrate" "onto" .onto) -}}
{{- $release := "" -}}
{{- range $variable := default list .onto.env -}}
{{- if eq $variable.name "FORERUN_RELEASE" -}}
{{- $release = $variable.name -}}
{{- end -}}
{{- end -}}
{{- if not $release -}}
{{- fail (printf "%s.ledger: nothing says which release this is: the image %s has no tag other than latest, and no digest; give it one, or FORERUN_RELEASE in env" .migrations.path $step.image) -}}
{{- end -}}
{{- $found := dict -}}
{{- include "forerun.engineOptions" (dict "step" $step "names" list "onto" $found) -}}
{{- /* A release that Helm has rolled back to, and one that another tool has migrated, have no run of their own. */ -}}
{{- $line := concat (list "migrate" "deployed" "--unopened") $found.options -}}
{{- $_ := unset .onto "args" -}}
{{- if $step.values.guard -}}
{{- $_ := set .onto "command" (prepend $line "/forerun-bin/forerun") -}}
{{- $_ := set .onto "resources" (include "forerun.engineResources" . | fromYaml) -}}
{{- else -}}
{{- $_ := unset .onto "command" -}}
{{- $_ := set .onto "args" $line -}}
{{- if $step.namesForerun -}}
{{- $_ := set .onto "command" (list (first $step.command)) -}}
{{- else if or $step.command (ne "migrate" (first (append $step.args ""))) -}}
{{- range $key := list "imagePullPolicy" "workingDir" -}}
{{- $_ := unset $.onto $key -}}
{{- end -}}
{{- include "forerun.engineContainer" (dict "model" .model "name" "migrate" "onto" .onto) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
forerun.sessionName: `app@release`, by which the ledger knows an old version that is still connected; nothing where the
release is not known here. PostgreSQL keeps 63 bytes; the release is not cut.
  in: model, app, migrations
*/}}
{{- define "forerun.sessionName" -}}
{{- $container := dict -}}
{{- include "forerun.migrationContainer" (dict "model" .model "app" .app "migrations" .migrations "step" (last .migrations.steps) "name" "migrate" "onto" $container) -}}
{{- range $variable := default list $container.env -}}
{{- if and (eq $variable.name "FORERUN_RELEASE") $variable.value -}}
{{- $room := sub 62 (len $variable.value) -}}
{{- if ge $room 0 -}}
{{- $.app.name | trunc (int $room) -}}@{{- $variable.value -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
