{{/*
forerun.references: the Secrets and ConfigMaps whose content a pod uses.
  in: pod; sets on onto: references (list of kind, and holder with key: the map in which the name stands)
*/}}
{{- define "forerun.references" -}}
{{- $references := list -}}
{{- range $container := concat (default list .pod.initContainers) .pod.containers -}}
{{- range $variable := default list $container.env -}}
{{- range $source, $reference := default dict $variable.valueFrom -}}
{{- if eq $source "secretKeyRef" -}}
{{- $references = append $references (dict "kind" "secret" "key" "name" "holder" $reference) -}}
{{- else if eq $source "configMapKeyRef" -}}
{{- $references = append $references (dict "kind" "configMap" "key" "name" "holder" $reference) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $source := default list $container.envFrom -}}
{{- if hasKey $source "secretRef" -}}
{{- $references = append $references (dict "kind" "secret" "key" "name" "holder" $source.secretRef) -}}
{{- end -}}
{{- if hasKey $source "configMapRef" -}}
{{- $references = append $references (dict "kind" "configMap" "key" "name" "holder" $source.configMapRef) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $volume := default list .pod.volumes -}}
{{- if hasKey $volume "secret" -}}
{{- $references = append $references (dict "kind" "secret" "key" "secretName" "holder" $volume.secret) -}}
{{- end -}}
{{- range $source := append (default list (default dict $volume.projected).sources) $volume -}}
{{- if hasKey $source "configMap" -}}
{{- $references = append $references (dict "kind" "configMap" "key" "name" "holder" $source.configMap) -}}
{{- end -}}
{{- end -}}
{{- range $source := default list (default dict $volume.projected).sources -}}
{{- if hasKey $source "secret" -}}
{{- $references = append $references (dict "kind" "secret" "key" "name" "holder" $source.secret) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $_ := set .onto "references" $references -}}
{{- end -}}

{{/*
forerun.checksum: the annotation that changes with the contents of the configs that a pod uses, so that a changed Secret
or ConfigMap restarts it. One of the same name in the values wins.
  in: model, pod; sets on onto: annotations (maybe empty)
*/}}
{{- define "forerun.checksum" -}}
{{- $configs := default dict .model.values.configs -}}
{{- $found := dict -}}
{{- include "forerun.references" (dict "pod" .pod "onto" $found) -}}
{{- $used := dict -}}
{{- range $reference := $found.references -}}
{{- $name := index $reference.holder $reference.key -}}
{{- if and $name (hasKey $configs $name) -}}
{{- if eq $reference.kind (default "configMap" (get $configs $name).type) -}}
{{- $_ := set $used $name $reference.kind -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- /* Each value by its own hash: what it contains cannot look like the next line. Maps are ranged over in order. */ -}}
{{- $text := "" -}}
{{- range $name, $kind := $used -}}
{{- $config := get $configs $name -}}
{{- $text = printf "%s%s %s\n" $text $kind $name -}}
{{- range $key, $value := default dict $config.data -}}
{{- $text = printf "%sdata %s=%s\n" $text $key (include "forerun.text" $value | sha256sum) -}}
{{- end -}}
{{- range $key, $value := default dict $config.binaryData -}}
{{- $text = printf "%sbinaryData %s=%s\n" $text $key (sha256sum $value) -}}
{{- end -}}
{{- end -}}
{{- $annotations := dict -}}
{{- if $text -}}
{{- $_ := set $annotations "forerun.dev/configs-checksum" (sha256sum $text) -}}
{{- end -}}
{{- $_ := set .onto "annotations" $annotations -}}
{{- end -}}
