{{/*
forerun.networkPolicy: nobody reaches the Job's pods, and they reach name servers and databases alone.
  in: model, migrations, allowed (a map), onto
*/}}
{{- define "forerun.networkPolicy" -}}
{{- $databases := list -}}
{{- range $port := ternary .allowed.ports (list 3306 5432) (hasKey .allowed "ports") -}}
{{- $databases = append $databases (dict "protocol" "TCP" "port" $port) -}}
{{- end -}}
{{- $names := list (dict "protocol" "UDP" "port" 53) (dict "protocol" "TCP" "port" 53) -}}
{{- $egress := concat (list (dict "ports" $names) (dict "ports" $databases)) (default list .allowed.egress) -}}
{{- $selector := dict "app.kubernetes.io/name" .migrations.base "app.kubernetes.io/instance" .model.release -}}
{{- $_ := set .onto "apiVersion" "networking.k8s.io/v1" -}}
{{- $_ := set .onto "kind" "NetworkPolicy" -}}
{{- $_ := set .onto "spec" (dict "podSelector" (dict "matchLabels" $selector) "policyTypes" (list "Ingress" "Egress") "egress" $egress) -}}
{{- end -}}
