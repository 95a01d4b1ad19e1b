{{/*
forerun.gate: init containers that hold the pods of a new version back until its migrations are applied.
  in: model, app; sets on onto: initContainers, volumes (lists, maybe empty)
*/}}
{{- define "forerun.gate" -}}
{{- $_ := set .onto "initContainers" list -}}
{{- $_ := set .onto "volumes" list -}}
{{- $values := default dict .app.values.migrations -}}
{{- if and $values.enabled $values.gate -}}
{{- $migrations := dict -}}
{{- include "forerun.migrations" (dict "model" .model "app" .app "onto" $migrations) -}}
{{- range $step := $migrations.steps -}}
{{- if $step.values.guard -}}
{{- fail (printf "%s.gate: a gate asks forerun's own history, which a command under `guard` does not write" $migrations.path) -}}
{{- end -}}
{{- end -}}
{{- $step := last $migrations.steps -}}
{{- $install := dict -}}
{{- include "forerun.installContainer" (dict "model" .model "onto" $install) -}}
{{- $wait := dict -}}
{{- include "forerun.migrationContainer" (dict "model" .model "app" .app "migrations" $migrations "step" $step "name" "wait-for-migrations" "onto" $wait) -}}
{{- $found := dict -}}
{{- include "forerun.engineOptions" (dict "step" $step "names" (list "--dir" "--layout") "onto" $found) -}}
{{- $_ := set $wait "command" (concat (list "/forerun-bin/forerun" "migrate" "wait" "--version" "latest" "--timeout" "600s") $found.options) -}}
{{- $container := get .app.containers $migrations.container -}}
{{- $_ := set $wait "volumeMounts" (append (default list $container.volumeMounts) (dict "name" "forerun-bin" "mountPath" "/forerun-bin")) -}}
{{- $_ := set $wait "resources" (include "forerun.engineResources" . | fromYaml) -}}
{{- range $key := list "args" "terminationMessagePath" "terminationMessagePolicy" -}}
{{- $_ := unset $wait $key -}}
{{- end -}}
{{- $_ := set .onto "initContainers" (list $install $wait) -}}
{{- $_ := set .onto "volumes" (list (dict "name" "forerun-bin" "emptyDir" dict)) -}}
{{- end -}}
{{- end -}}
