{{/*
forerun.jobHook: the annotations that make a step's Job run before the rest. in: migrations, step, onto (annotations)
*/}}
{{- define "forerun.jobHook" -}}
{{- include "forerun.workHook" (dict "migrations" .migrations "after" .step.index "events" "pre-install,pre-upgrade" "phase" "PreSync" "onto" .onto) -}}
{{- end -}}

{{/* forerun.closingHook: the same for the Job that closes the ledger, after hooks of one's own. in: migrations, onto (annotations) */}}
{{- define "forerun.closingHook" -}}
{{- include "forerun.workHook" (dict "migrations" .migrations "after" 1000 "events" "post-install,post-upgrade,post-rollback" "phase" "PostSync" "onto" .onto) -}}
{{- end -}}

{{/* forerun.workHook: a Job at Helm's events or in Argo CD's phase. in: migrations, after, events, phase, onto (annotations) */}}
{{- define "forerun.workHook" -}}
{{- $hook := .migrations.hook -}}
{{- $weight := toString (add .migrations.weight .after) -}}
{{- if eq .migrations.delivery "helm" -}}
{{- $_ := set .onto "helm.sh/hook" .events -}}
{{- $_ := set .onto "helm.sh/hook-weight" $weight -}}
{{- $_ := set .onto "helm.sh/hook-delete-policy" (include "forerun.joined" (default "before-hook-creation" $hook.deletePolicy)) -}}
{{- $_ := set .onto "helm.sh/hook-output-log-policy" (include "forerun.joined" (default "hook-failed,hook-succeeded" $hook.logPolicy)) -}}
{{- else if eq .migrations.delivery "argo" -}}
{{- $_ := set .onto "argocd.argoproj.io/hook" .phase -}}
{{- $_ := set .onto "argocd.argoproj.io/sync-wave" $weight -}}
{{- $_ := set .onto "argocd.argoproj.io/hook-delete-policy" (include "forerun.joined" (default "before-hook-creation" $hook.deletePolicy) | replace "before-hook-creation" "BeforeHookCreation" | replace "hook-succeeded" "HookSucceeded" | replace "hook-failed" "HookFailed") -}}
{{- end -}}
{{- end -}}

{{/* forerun.joined: one text, or several. */}}
{{- define "forerun.joined" -}}
{{- if kindIs "string" . -}}{{- . -}}{{- else -}}{{- join "," . -}}{{- end -}}
{{- end -}}

{{/*
forerun.preparationHook: the same for what the Jobs need. Helm takes it away again when all hooks have succeeded, or
when a later one has failed; what a Helm that was killed has left, `helm uninstall` takes away.
  in: delivery, weight (of the first Job), late (the Job that closes the ledger needs it again), onto (annotations)
*/}}
{{- define "forerun.preparationHook" -}}
{{- $weight := toString (sub .weight 10) -}}
{{- if eq .delivery "helm" -}}
{{- $_ := set .onto "helm.sh/hook" "pre-install,pre-upgrade,post-delete" -}}
{{- if .late -}}
{{- $_ := set .onto "helm.sh/hook" "pre-install,pre-upgrade,post-install,post-upgrade,post-rollback,post-delete" -}}
{{- end -}}
{{- $_ := set .onto "helm.sh/hook-weight" $weight -}}
{{- $_ := set .onto "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded" -}}
{{- else if eq .delivery "argo" -}}
{{- $_ := set .onto "argocd.argoproj.io/hook" "PreSync" -}}
{{- $_ := set .onto "argocd.argoproj.io/sync-wave" $weight -}}
{{- $_ := set .onto "argocd.argoproj.io/hook-delete-policy" "BeforeHookCreation" -}}
{{- end -}}
{{- end -}}

{{/*
forerun.redirect: lets a Job's pod use copies of the Secrets and ConfigMaps of these values, which are created only
after the migrations, and notes which copies are needed.
  in: model, migrations, pod (a copy of its own), copies (dict: kind/name -> delivery, weight)
*/}}
{{- define "forerun.redirect" -}}
{{- $found := dict -}}
{{- include "forerun.references" (dict "pod" .pod "onto" $found) -}}
{{- $references := $found.references -}}
{{- range $secret := default list .pod.imagePullSecrets -}}
{{- $references = append $references (dict "kind" "secret" "key" "name" "holder" $secret) -}}
{{- end -}}
{{- $configs := default dict .model.values.configs -}}
{{- range $reference := $references -}}
{{- $name := index $reference.holder $reference.key -}}
{{- if and $name (hasKey $configs $name) -}}
{{- if eq $reference.kind (default "configMap" (get $configs $name).type) -}}
{{- include "forerun.needCopy" (dict "copies" $.copies "key" $name "migrations" $.migrations) -}}
{{- $_ := set $reference.holder $reference.key (include "forerun.copyName" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* forerun.needCopy: a copy that several need comes before the first of them. in: copies, key, migrations */}}
{{- define "forerun.needCopy" -}}
{{- $there := index .copies .key -}}
{{- if not $there -}}
{{- $_ := set .copies .key (dict "delivery" .migrations.delivery "weight" .migrations.weight) -}}
{{- else if lt .migrations.weight $there.weight -}}
{{- $_ := set $there "weight" .migrations.weight -}}
{{- end -}}
{{- end -}}

{{- define "forerun.copyName" -}}
{{- include "forerun.name" (dict "base" (printf "%s-migrations" .)) -}}
{{- end -}}

{{/*
forerun.migrationServiceAccount: whose identity the Jobs have.
  in: model, app, migrations, accounts (those that these values create, by name); sets on onto: name (or nothing),
  create (make one of its own), copyOf (a name in accounts)
*/}}
{{- define "forerun.migrationServiceAccount" -}}
{{- $own := default dict .migrations.values.serviceAccount -}}
{{- $name := $own.name -}}
{{- if $own.create -}}
{{- $name = default .migrations.base $name -}}
{{- $_ := set .onto "create" true -}}
{{- else -}}
{{- $name = default .app.serviceAccount $name -}}
{{- if and $name (ne .migrations.delivery "plain") (hasKey .accounts (default "" $name)) -}}
{{- $_ := set .onto "copyOf" $name -}}
{{- $name = include "forerun.copyName" $name -}}
{{- end -}}
{{- end -}}
{{- $_ := set .onto "name" $name -}}
{{- end -}}

{{/*
forerun.cleanupJob: a Job of the same name that runs no pod. Hooks are no part of a release, so `helm uninstall` leaves
the finished migration Job behind; but before it creates a hook it deletes the object of that name, and this one it
deletes when it has succeeded, which a Job of no completions has at once.
  in: model, migrations, name, onto
*/}}
{{- define "forerun.cleanupJob" -}}
{{- $container := dict "name" "none" "image" (include "forerun.image" (dict "values" .model.engine "path" "forerun")) -}}
{{- $_ := set $container "securityContext" (include "forerun.restrictedContainer" . | fromYaml) -}}
{{- $pod := dict "restartPolicy" "Never" "automountServiceAccountToken" false "securityContext" (include "forerun.restrictedPod" . | fromYaml) "containers" (list $container) -}}
{{- $template := dict "spec" $pod -}}
{{- include "forerun.metadata" (dict "model" (dict "labels" .model.labels "annotations" dict) "standardLabels" .migrations.standardLabels "onto" $template) -}}
{{- $hook := dict "helm.sh/hook" "post-delete" "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded" -}}
{{- $_ := set .onto "apiVersion" "batch/v1" -}}
{{- $_ := set .onto "kind" "Job" -}}
{{- $_ := set .onto "spec" (dict "completions" 0 "parallelism" 0 "backoffLimit" 0 "template" $template) -}}
{{- include "forerun.metadata" (dict "model" .model "name" .name "annotations" (list $hook) "standardLabels" .migrations.standardLabels "onto" .onto) -}}
{{- end -}}
