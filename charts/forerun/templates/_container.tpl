{{/*
forerun.container: a container without ports, probes and lifecycle.
  in: model, name, values, path, securityContext (a map, merged under the container's), onto
*/}}
{{- define "forerun.container" -}}
{{- $_ := set .onto "name" .name -}}
{{- $_ := set .onto "image" (include "forerun.image" (dict "values" .values "path" .path)) -}}
{{- include "forerun.copyKeys" (dict "from" .values "onto" .onto "keys" (list "imagePullPolicy" "workingDir" "resources" "volumeMounts" "startupProbe")) -}}
{{- include "forerun.copyTexts" (dict "from" .values "onto" .onto "keys" (list "command" "args")) -}}
{{- $environment := dict -}}
{{- include "forerun.env" (dict "model" .model "values" .values "path" .path "onto" $environment) -}}
{{- include "forerun.envFrom" (dict "model" .model "values" .values "path" .path "onto" $environment) -}}
{{- include "forerun.copyKeys" (dict "from" $environment "onto" .onto "keys" (list "env" "envFrom")) -}}
{{- $securityContext := dict -}}
{{- include "forerun.overlay" (dict "onto" $securityContext "from" (default dict .securityContext)) -}}
{{- include "forerun.overlay" (dict "onto" $securityContext "from" (default dict .values.securityContext)) -}}
{{- if $securityContext -}}
{{- $_ := set .onto "securityContext" $securityContext -}}
{{- end -}}
{{- end -}}

{{/*
forerun.appContainer: a container of a Deployment, with ports, probes and lifecycle.
  in: model, app, name, onto
*/}}
{{- define "forerun.appContainer" -}}
{{- $values := index .app.containers .name -}}
{{- include "forerun.container" (dict "model" .model "name" .name "values" $values "path" (printf "%s.containers.%s" .app.path .name) "securityContext" .app.settings.containerSecurityContext "onto" .onto) -}}
{{- $ports := list -}}
{{- range $name, $port := default dict $values.ports -}}
{{- $ports = append $ports (dict "name" $name "containerPort" $port.containerPort "protocol" (default "TCP" $port.protocol)) -}}
{{- end -}}
{{- if $ports -}}
{{- $_ := set .onto "ports" $ports -}}
{{- end -}}
{{- $probes := list (default dict $values.probes) -}}
{{- if eq .name (first .app.containerNames) -}}
{{- $probes = prepend $probes (default dict .app.settings.probes) -}}
{{- end -}}
{{- range $layer := $probes -}}
{{- include "forerun.copyKeys" (dict "from" $layer "onto" $.onto "keys" (list "livenessProbe" "readinessProbe" "startupProbe")) -}}
{{- end -}}
{{- include "forerun.copyKeys" (dict "from" $values "onto" .onto "keys" (list "lifecycle")) -}}
{{- end -}}

{{/* forerun.copyTexts: lists whose members are text, or stand for it. in: from, onto, keys */}}
{{- define "forerun.copyTexts" -}}
{{- range $key := .keys -}}
{{- $texts := list -}}
{{- range $text := default list (index $.from $key) -}}
{{- $texts = append $texts (include "forerun.text" $text) -}}
{{- end -}}
{{- if $texts -}}
{{- $_ := set $.onto $key $texts -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
forerun.env: own variables in order, then those of `secretRefs` that have no value yet.
  in: model, values, path; sets on onto: env (a list, maybe empty)
*/}}
{{- define "forerun.env" -}}
{{- $env := list -}}
{{- $names := dict -}}
{{- range $index, $entry := default list .values.env -}}
{{- if hasKey $names $entry.name -}}
{{- fail (printf "%s.env[%d]: %s is there twice" $.path $index $entry.name) -}}
{{- end -}}
{{- if and (hasKey $entry "value") (hasKey $entry "valueFrom") -}}
{{- fail (printf "%s.env[%d]: %s has both value and valueFrom" $.path $index $entry.name) -}}
{{- end -}}
{{- $_ := set $names $entry.name true -}}
{{- $variable := dict "name" $entry.name -}}
{{- if hasKey $entry "value" -}}
{{- $_ := set $variable "value" (include "forerun.text" $entry.value) -}}
{{- else if hasKey $entry "valueFrom" -}}
{{- $_ := set $variable "valueFrom" $entry.valueFrom -}}
{{- end -}}
{{- $env = append $env $variable -}}
{{- end -}}
{{- $_ := set .onto "env" $env -}}
{{- include "forerun.addSecretRefs" (dict "model" .model "names" (default list .values.secretRefs) "path" .path "onto" .onto) -}}
{{- end -}}

{{/* forerun.addSecretRefs: variables of top-level `secretRefs`. in: model, names, path, onto (with env) */}}
{{- define "forerun.addSecretRefs" -}}
{{- $known := default dict .model.values.secretRefs -}}
{{- range $index, $name := .names -}}
{{- if not (hasKey $known $name) -}}
{{- fail (printf "%s.secretRefs[%d]: there is no %q in secretRefs at the top level" $.path $index $name) -}}
{{- end -}}
{{- range $entry := get $known $name -}}
{{- include "forerun.addVariable" (dict "onto" $.onto "variable" (dict "name" $entry.name "valueFrom" (dict "secretKeyRef" $entry.secretKeyRef))) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* forerun.addVariable: a variable, unless there is one of its name. in: onto (with env), variable */}}
{{- define "forerun.addVariable" -}}
{{- $there := false -}}
{{- range $present := .onto.env -}}
{{- if eq $present.name $.variable.name -}}
{{- $there = true -}}
{{- end -}}
{{- end -}}
{{- if not $there -}}
{{- $_ := set .onto "env" (append .onto.env .variable) -}}
{{- end -}}
{{- end -}}

{{/* forerun.overlayEnv: the same name gets the new value in its place, new names come last. in: onto (with env), from */}}
{{- define "forerun.overlayEnv" -}}
{{- $new := dict -}}
{{- range $variable := .from -}}
{{- $_ := set $new $variable.name $variable -}}
{{- end -}}
{{- $env := list -}}
{{- $placed := dict -}}
{{- range $variable := .onto.env -}}
{{- $env = append $env (default $variable (index $new $variable.name)) -}}
{{- $_ := set $placed $variable.name true -}}
{{- end -}}
{{- range $variable := .from -}}
{{- if not (hasKey $placed $variable.name) -}}
{{- $env = append $env $variable -}}
{{- end -}}
{{- end -}}
{{- $_ := set .onto "env" $env -}}
{{- end -}}

{{/*
forerun.envFrom: `configName` of these values, or Kubernetes' own references.
  in: model, values, path; sets on onto: envFrom (a list, maybe empty)
*/}}
{{- define "forerun.envFrom" -}}
{{- $configs := default dict .model.values.configs -}}
{{- $result := list -}}
{{- range $index, $entry := default list .values.envFrom -}}
{{- $path := printf "%s.envFrom[%d]" $.path $index -}}
{{- $given := 0 -}}
{{- range $key := list "configName" "secretRef" "configMapRef" -}}
{{- if hasKey $entry $key -}}
{{- $given = add $given 1 -}}
{{- end -}}
{{- end -}}
{{- if ne (int $given) 1 -}}
{{- fail (printf "%s: give exactly one of configName, secretRef and configMapRef" $path) -}}
{{- end -}}
{{- $rendered := dict -}}
{{- if hasKey $entry "configName" -}}
{{- if not (hasKey $configs $entry.configName) -}}
{{- fail (printf "%s.configName: there is no %q in configs; for one that exists already write secretRef or configMapRef" $path $entry.configName) -}}
{{- end -}}
{{- $kind := default "configMap" (get $configs $entry.configName).type -}}
{{- if and (hasKey $entry "type") (ne $entry.type $kind) -}}
{{- fail (printf "%s: configs.%s is a %s, not a %s" $path $entry.configName $kind $entry.type) -}}
{{- end -}}
{{- $reference := dict "name" $entry.configName -}}
{{- include "forerun.copyKeys" (dict "from" $entry "onto" $reference "keys" (list "optional")) -}}
{{- $_ := set $rendered (printf "%sRef" $kind) $reference -}}
{{- end -}}
{{- include "forerun.copyKeys" (dict "from" $entry "onto" $rendered "keys" (list "secretRef" "configMapRef" "prefix")) -}}
{{- $result = append $result $rendered -}}
{{- end -}}
{{- $_ := set .onto "envFrom" $result -}}
{{- end -}}

{{/* forerun.engineContainer: a container of forerun's own image. in: model, name, onto */}}
{{- define "forerun.engineContainer" -}}
{{- $_ := set .onto "name" .name -}}
{{- $_ := set .onto "image" (include "forerun.image" (dict "values" .model.engine "path" "forerun")) -}}
{{- include "forerun.copyKeys" (dict "from" .model.engine "onto" .onto "keys" (list "imagePullPolicy")) -}}
{{- $_ := set .onto "resources" (include "forerun.engineResources" . | fromYaml) -}}
{{- $_ := set .onto "securityContext" (include "forerun.restrictedContainer" . | fromYaml) -}}
{{- end -}}

{{/* forerun.installContainer: copies the static binary to the volume forerun-bin. in: model, onto */}}
{{- define "forerun.installContainer" -}}
{{- include "forerun.engineContainer" (dict "model" .model "name" "forerun" "onto" .onto) -}}
{{- $_ := set .onto "args" (list "install" "/forerun-bin") -}}
{{- $_ := set .onto "volumeMounts" (list (dict "name" "forerun-bin" "mountPath" "/forerun-bin")) -}}
{{- end -}}

{{- define "forerun.engineResources" -}}
requests: {cpu: 10m, memory: 32Mi}
limits: {memory: 128Mi}
{{- end -}}

{{/* What the Pod Security Standard "restricted" asks for, and a read-only root. */}}
{{- define "forerun.restrictedContainer" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "forerun.restrictedPod" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end -}}
