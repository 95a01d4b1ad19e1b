{{/* forerun.image: image[:imageTag][@imageDigest]. in: values, path */}}
{{- define "forerun.image" -}}
{{- $image := .values.image -}}
{{- if not $image -}}
{{- fail (printf "%s.image is missing" .path) -}}
{{- end -}}
{{- $named := last (splitList "/" $image) -}}
{{- if and (hasKey .values "imageTag") (or (contains ":" $named) (contains "@" $named)) -}}
{{- fail (printf "%s: image %q has a tag or digest already; remove it there, or imageTag" .path $image) -}}
{{- end -}}
{{- if and (hasKey .values "imageDigest") (contains "@" $named) -}}
{{- fail (printf "%s: image %q has a digest already; remove it there, or imageDigest" .path $image) -}}
{{- end -}}
{{- $image -}}
{{- if hasKey .values "imageTag" -}}:{{- include "forerun.text" .values.imageTag -}}{{- end -}}
{{- if hasKey .values "imageDigest" -}}@{{- .values.imageDigest -}}{{- end -}}
{{- end -}}

{{/* forerun.release: the release that a whole image name tells, or nothing: its tag, unless that is latest, else the beginning of its digest. in: the name */}}
{{- define "forerun.release" -}}
{{- $named := last (splitList "/" (first (splitList "@" .))) -}}
{{- $tag := contains ":" $named | ternary (last (splitList ":" $named)) "" -}}
{{- if and $tag (ne $tag "latest") -}}
{{- $tag -}}
{{- else if contains "@" . -}}
{{- last (splitList ":" .) | trunc 12 -}}
{{- end -}}
{{- end -}}

{{/*
forerun.migrationImage: the image of a step. Who names an image means its own tag and digest; who gives a tag alone
does not mean the container's digest.
  in: container, own (the image keys of the migrations, and of the step over them); sets on onto: image, imageTag,
  imageDigest
*/}}
{{- define "forerun.migrationImage" -}}
{{- if not (hasKey .own "image") -}}
{{- include "forerun.copyKeys" (dict "from" .container "onto" .onto "keys" (list "image" "imageTag")) -}}
{{- if not (hasKey .own "imageTag") -}}
{{- include "forerun.copyKeys" (dict "from" .container "onto" .onto "keys" (list "imageDigest")) -}}
{{- end -}}
{{- end -}}
{{- include "forerun.copyKeys" (dict "from" .own "onto" .onto "keys" (list "image" "imageTag" "imageDigest")) -}}
{{- end -}}
