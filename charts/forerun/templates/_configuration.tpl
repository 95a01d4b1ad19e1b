{{/*
forerun.config: a Secret or ConfigMap, without metadata. in: config, path, onto
*/}}
{{- define "forerun.config" -}}
{{- $config := .config -}}
{{- $data := dict -}}
{{- $secret := eq (default "configMap" $config.type) "secret" -}}
{{- range $key, $value := default dict $config.data -}}
{{- $text := include "forerun.text" $value -}}
{{- if $secret -}}
{{- $text = b64enc $text -}}
{{- end -}}
{{- $_ := set $data $key $text -}}
{{- end -}}
{{- $_ := set .onto "apiVersion" "v1" -}}
{{- if $secret -}}
{{- $_ := set .onto "kind" "Secret" -}}
{{- $_ := set .onto "type" (default "Opaque" $config.secretType) -}}
{{- range $key, $value := default dict $config.binaryData -}}
{{- $_ := set $data $key $value -}}
{{- end -}}
{{- else -}}
{{- $_ := set .onto "kind" "ConfigMap" -}}
{{- include "forerun.copyKeys" (dict "from" $config "onto" .onto "keys" (list "binaryData")) -}}
{{- end -}}
{{- if $data -}}
{{- $_ := set .onto "data" $data -}}
{{- end -}}
{{- include "forerun.copyKeys" (dict "from" $config "onto" .onto "keys" (list "immutable")) -}}
{{- end -}}

{{/*
forerun.serviceAccounts: all service accounts that these values create, by name.
  in: model; sets on onto: accounts (name -> values, app or nothing)
*/}}
{{- define "forerun.serviceAccounts" -}}
{{- $accounts := dict -}}
{{- range $name, $values := default dict .model.values.serviceAccounts -}}
{{- $_ := set $accounts $name (dict "values" (default dict $values)) -}}
{{- end -}}
{{- range $app, $values := default dict .model.values.deployments -}}
{{- if (default dict $values).autoCreateServiceAccount -}}
{{- $own := default dict $values.serviceAccountConfig -}}
{{- $name := default $app $own.name -}}
{{- if hasKey $accounts $name -}}
{{- fail (printf "deployments.%s.autoCreateServiceAccount: there is a service account %q already; refer to it with serviceAccountName, or name this one in serviceAccountConfig.name" $app $name) -}}
{{- end -}}
{{- $_ := set $accounts $name (dict "app" $app "values" (pick $own "labels" "annotations")) -}}
{{- end -}}
{{- end -}}
{{- $_ := set .onto "accounts" $accounts -}}
{{- end -}}

{{/* forerun.serviceAccount: a ServiceAccount without metadata. in: values, onto */}}
{{- define "forerun.serviceAccount" -}}
{{- $_ := set .onto "apiVersion" "v1" -}}
{{- $_ := set .onto "kind" "ServiceAccount" -}}
{{- include "forerun.copyKeys" (dict "from" .values "onto" .onto "keys" (list "automountServiceAccountToken")) -}}
{{- $pullSecrets := list -}}
{{- range $secret := default list .values.imagePullSecrets -}}
{{- if kindIs "string" $secret -}}
{{- $secret = dict "name" $secret -}}
{{- end -}}
{{- $pullSecrets = append $pullSecrets $secret -}}
{{- end -}}
{{- if $pullSecrets -}}
{{- $_ := set .onto "imagePullSecrets" $pullSecrets -}}
{{- end -}}
{{- end -}}
