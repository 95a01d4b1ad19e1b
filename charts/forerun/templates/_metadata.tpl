{{/*
forerun.metadata: labels and annotations from the outside in; the standard labels win, since selectors need them.
  in: model, onto (an object or pod template), name (absent for pods), labels (list of maps), annotations (list of
  maps), standardLabels
*/}}
{{- define "forerun.metadata" -}}
{{- $metadata := dict -}}
{{- if .name -}}
{{- $_ := set $metadata "name" .name -}}
{{- end -}}
{{- $labels := deepCopy .model.labels -}}
{{- range $layer := append (default list .labels) .standardLabels -}}
{{- range $key, $value := default dict $layer -}}
{{- $_ := set $labels $key $value -}}
{{- end -}}
{{- end -}}
{{- $_ := set $metadata "labels" $labels -}}
{{- $annotations := deepCopy .model.annotations -}}
{{- range $layer := default list .annotations -}}
{{- range $key, $value := default dict $layer -}}
{{- $_ := set $annotations $key $value -}}
{{- end -}}
{{- end -}}
{{- if $annotations -}}
{{- $_ := set $metadata "annotations" $annotations -}}
{{- end -}}
{{- $_ := set .onto "metadata" $metadata -}}
{{- end -}}

{{/*
forerun.name: base and suffix, at most 63 characters. A base that is too long keeps its beginning and gets eight
digits of its hash, so that two long names stay two names; the suffix is kept.
  in: base, suffix (with its dash, or empty)
*/}}
{{- define "forerun.name" -}}
{{- $suffix := default "" .suffix -}}
{{- if gt (add (len .base) (len $suffix)) 63 -}}
{{- regexReplaceAll "[-.]+$" (.base | trunc (int (sub 54 (len $suffix)))) "" -}}-{{- sha256sum .base | trunc 8 -}}
{{- else -}}
{{- .base -}}
{{- end -}}
{{- $suffix -}}
{{- end -}}
