{{/*
How these templates work. A partial can only return text, so those that build objects get a dict and set what
they found on `onto`. `path` says where in the values something stands, for messages.

forerun.model: what all objects of the release share.
  in: root ($); sets on the same dict: values (without nulls), release, kubeVersion, labels, annotations, selector
  labels, pullSecrets, engine
*/}}
{{- define "forerun.model" -}}
{{- /* A key with null is a key that is not there. Quotes within JSON text are escaped, so these match keys only. */ -}}
{{- $text := toJson .root.Values -}}
{{- $text = regexReplaceAll `"[^"\\]*":null,` $text "" -}}
{{- $text = regexReplaceAll `,"[^"\\]*":null` $text "" -}}
{{- $text = regexReplaceAll `"[^"\\]*":null` $text "" -}}
{{- $values := fromJson $text -}}
{{- $generic := default dict $values.generic -}}
{{- $labels := dict -}}
{{- include "forerun.overlay" (dict "onto" $labels "from" (default dict $values.commonLabels)) -}}
{{- include "forerun.overlay" (dict "onto" $labels "from" (default dict $generic.labels)) -}}
{{- $annotations := dict -}}
{{- include "forerun.overlay" (dict "onto" $annotations "from" (default dict $values.commonAnnotations)) -}}
{{- include "forerun.overlay" (dict "onto" $annotations "from" (default dict $generic.annotations)) -}}
{{- $standard := dict "app.kubernetes.io/instance" .root.Release.Name -}}
{{- if $values.nameOverride -}}
{{- $_ := set $standard "app.kubernetes.io/part-of" $values.nameOverride -}}
{{- end -}}
{{- $pullSecrets := list -}}
{{- if $values.imagePullSecret -}}
{{- $pullSecrets = append $pullSecrets $values.imagePullSecret -}}
{{- end -}}
{{- $pullSecrets = concat $pullSecrets (default list $values.imagePullSecrets) (default list $generic.extraImagePullSecrets) -}}
{{- $_ := set . "values" $values -}}
{{- $_ := set . "release" .root.Release.Name -}}
{{- $_ := set . "kubeVersion" .root.Capabilities.KubeVersion.Version -}}
{{- $_ := set . "labels" $labels -}}
{{- $_ := set . "annotations" $annotations -}}
{{- $_ := set . "standardLabels" $standard -}}
{{- $_ := set . "pullSecrets" $pullSecrets -}}
{{- $engine := deepCopy (default dict $values.forerun) -}}
{{- if not $engine.image -}}
{{- $_ := set $engine "image" "forerun" -}}
{{- end -}}
{{- $named := last (splitList "/" $engine.image) -}}
{{- if not (or (hasKey $engine "imageTag") (contains ":" $named) (contains "@" $named)) -}}
{{- $_ := set $engine "imageTag" .root.Chart.AppVersion -}}
{{- end -}}
{{- $_ := set . "engine" $engine -}}
{{- end -}}

{{/*
forerun.app: a deployment with its defaults.
  in: model, name; sets on onto: name, path, values, settings, containers, containerNames, labels, selector,
  serviceAccount, createsServiceAccount
*/}}
{{- define "forerun.app" -}}
{{- $app := .onto -}}
{{- $own := default dict (index .model.values.deployments .name) -}}
{{- $general := default dict .model.values.deploymentsGeneral -}}
{{- $path := printf "deployments.%s" .name -}}
{{- if gt (len .name) 63 -}}
{{- fail (printf "%s: the name has %d characters; Kubernetes allows 63 in the labels that carry it" $path (len .name)) -}}
{{- end -}}
{{- $settings := dict -}}
{{- range $key := list "replicas" "strategy" "tolerations" "affinity" "topologySpreadConstraints" "priorityClassName" "terminationGracePeriodSeconds" "revisionHistoryLimit" "probes" -}}
{{- if hasKey $own $key -}}
{{- $_ := set $settings $key (get $own $key) -}}
{{- else if hasKey $general $key -}}
{{- $_ := set $settings $key (get $general $key) -}}
{{- end -}}
{{- end -}}
{{- range $key := list "nodeSelector" "annotations" "podAnnotations" "podLabels" "securityContext" "containerSecurityContext" -}}
{{- $merged := dict -}}
{{- range $layer := list $general $own -}}
{{- if hasKey $layer $key -}}
{{- include "forerun.overlay" (dict "onto" $merged "from" (get $layer $key)) -}}
{{- end -}}
{{- end -}}
{{- $_ := set $settings $key $merged -}}
{{- end -}}
{{- $containers := $own.containers -}}
{{- if not $containers -}}
{{- $containers = dict "main" (dict "image" .name) -}}
{{- end -}}
{{- $names := keys $containers | sortAlpha -}}
{{- if hasKey $containers "main" -}}
{{- $names = prepend (without $names "main") "main" -}}
{{- end -}}
{{- $serviceAccount := $own.serviceAccountName -}}
{{- $creates := false -}}
{{- if $own.autoCreateServiceAccount -}}
{{- if $serviceAccount -}}
{{- fail (printf "%s: serviceAccountName and autoCreateServiceAccount exclude each other; serviceAccountConfig.name names the one that is created" $path) -}}
{{- end -}}
{{- $creates = true -}}
{{- $serviceAccount = default .name (default dict $own.serviceAccountConfig).name -}}
{{- end -}}
{{- $_ := set $app "name" .name -}}
{{- $_ := set $app "path" $path -}}
{{- $_ := set $app "values" $own -}}
{{- $_ := set $app "settings" $settings -}}
{{- $_ := set $app "containers" $containers -}}
{{- $_ := set $app "containerNames" $names -}}
{{- $_ := set $app "serviceAccount" $serviceAccount -}}
{{- $_ := set $app "createsServiceAccount" $creates -}}
{{- $_ := set $app "selector" (dict "app.kubernetes.io/name" .name "app.kubernetes.io/instance" .model.release) -}}
{{- $standard := deepCopy .model.standardLabels -}}
{{- $_ := set $standard "app.kubernetes.io/name" .name -}}
{{- $_ := set $app "standardLabels" $standard -}}
{{- end -}}

{{/*
forerun.podFields: what a Deployment's pods and a migration Job's have in common.
  in: model, app, onto (a pod spec)
*/}}
{{- define "forerun.podFields" -}}
{{- include "forerun.copyKeys" (dict "from" .app.settings "onto" .onto "keys" (list "nodeSelector" "tolerations" "affinity" "priorityClassName")) -}}
{{- include "forerun.copyKeys" (dict "from" .app.values "onto" .onto "keys" (list "hostAliases" "dnsPolicy" "dnsConfig" "runtimeClassName" "schedulerName")) -}}
{{- $names := list -}}
{{- range $secret := concat .model.pullSecrets (default list .app.values.imagePullSecrets) -}}
{{- if kindIs "map" $secret -}}
{{- $secret = $secret.name -}}
{{- end -}}
{{- if $secret -}}
{{- $names = append $names $secret -}}
{{- end -}}
{{- end -}}
{{- $pullSecrets := list -}}
{{- range $name := uniq $names -}}
{{- $pullSecrets = append $pullSecrets (dict "name" $name) -}}
{{- end -}}
{{- if $pullSecrets -}}
{{- $_ := set .onto "imagePullSecrets" $pullSecrets -}}
{{- end -}}
{{- end -}}

{{/*
forerun.overlay: a deep merge; `from` wins. Sprig's own merges share maps with their arguments.
  in: onto, from
*/}}
{{- define "forerun.overlay" -}}
{{- range $key, $value := .from -}}
{{- if and (kindIs "map" $value) (kindIs "map" (index $.onto $key)) -}}
{{- include "forerun.overlay" (dict "onto" (index $.onto $key) "from" $value) -}}
{{- else if kindIs "map" $value -}}
{{- $_ := set $.onto $key (deepCopy $value) -}}
{{- else -}}
{{- $_ := set $.onto $key $value -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
forerun.copyKeys: the keys that are given. Empty maps and lists say nothing; zero, false and "" do.
  in: from, onto, keys
*/}}
{{- define "forerun.copyKeys" -}}
{{- range $key := .keys -}}
{{- if hasKey $.from $key -}}
{{- $value := get $.from $key -}}
{{- if or $value (not (or (kindIs "map" $value) (kindIs "slice" $value))) -}}
{{- $_ := set $.onto $key $value -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* forerun.text: a string, or the text of a number (1000000, not 1e+06) or truth value. */}}
{{- define "forerun.text" -}}
{{- if kindIs "string" . -}}{{- . -}}{{- else -}}{{- toJson . -}}{{- end -}}
{{- end -}}

{{/* forerun.seconds: a duration (300, "300", "5m", "1h30m") in seconds. in: value, path */}}
{{- define "forerun.seconds" -}}
{{- $text := include "forerun.text" .value -}}
{{- if regexMatch "^[0-9]+$" $text -}}
{{- int64 (regexReplaceAll "^0+([0-9])" $text "${1}") -}}
{{- else if and $text (regexMatch "^([0-9]+h)?([0-9]+m)?([0-9]+s)?$" $text) -}}
{{- $seconds := 0 -}}
{{- range $unit, $factor := dict "h" 3600 "m" 60 "s" 1 -}}
{{- with regexFind (printf "[0-9]+%s" $unit) $text -}}
{{- $seconds = add $seconds (mul (int64 (regexReplaceAll "^0+([0-9])" (trimSuffix $unit .) "${1}")) $factor) -}}
{{- end -}}
{{- end -}}
{{- $seconds -}}
{{- else -}}
{{- fail (printf "%s: %q is not a duration; write seconds (300) or units (5m, 1h30m, 90s)" .path $text) -}}
{{- end -}}
{{- end -}}

{{/* forerun.print: one object of the output. */}}
{{- define "forerun.print" -}}
{{- $text := toYaml . -}}
{{- if not $text -}}
{{- /* Helm's toYaml says nothing when it fails, and the object would be missing. */ -}}
{{- fail (printf "%s %s cannot be written as YAML: one of its texts has a control character" .kind .metadata.name) -}}
{{- end -}}
---
{{ $text }}
{{ end -}}
