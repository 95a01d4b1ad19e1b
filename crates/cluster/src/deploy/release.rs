//! What is to be in the cluster, as parts that are applied one after another.

use crate::apply::marked;
use crate::event::Wave;
use crate::job;
use crate::object::{Kind, Object};

/// What is to be in the cluster.
#[derive(Debug, Clone, Default)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// What the steps need besides their own: copies of configuration, service accounts.
    pub preparation: Vec<Object>,
    /// The steps of the migration, in order.
    pub steps: Vec<Step>,
    /// Secrets, ConfigMaps, service accounts, claims.
    pub configuration: Vec<Object>,
    /// Services and Deployments.
    pub application: Vec<Object>,
    /// Jobs that say, when all of that is rolled out, that only this release runs.
    pub closing: Vec<Object>,
}

/// One Job and what it needs.
#[derive(Debug, Clone)]
pub struct Step {
    /// A service account, a network policy.
    pub uses: Vec<Object>,
    /// The Job.
    pub job: Object,
}

impl Release {
    pub(super) fn marked(self) -> Self {
        let Self {
            name,
            preparation,
            steps,
            configuration,
            application,
            closing,
        } = self;
        let mark = |objects: Vec<Object>| {
            objects
                .into_iter()
                .map(|object| marked(object, &name))
                .collect()
        };
        let steps = steps
            .into_iter()
            .map(|step| {
                let job = job::hashed(marked(step.job, &name), &[&preparation, &step.uses]);
                Step {
                    uses: mark(step.uses),
                    job,
                }
            })
            .collect();
        let closing = closing
            .into_iter()
            .map(|job| job::hashed(marked(job, &name), &[&configuration]))
            .collect();
        let (preparation, configuration, application) =
            (mark(preparation), mark(configuration), mark(application));
        Self {
            name,
            preparation,
            steps,
            configuration,
            application,
            closing,
        }
    }

    /// Every object with its part of the deploy, in the order of the deploy.
    pub fn waves(&self) -> Vec<(Wave, &Object)> {
        let steps = self
            .steps
            .iter()
            .flat_map(|step| step.uses.iter().chain([&step.job]));
        let steps = self
            .preparation
            .iter()
            .chain(steps)
            .map(|object| (Wave::Migration, object));
        let configuration = self
            .configuration
            .iter()
            .map(|object| (Wave::Configuration, object));
        let application = self
            .application
            .iter()
            .map(|object| (Wave::Application, object));
        let closing = self.closing.iter().map(|object| (Wave::Ledger, object));
        let lasting = configuration.chain(application);
        steps.chain(lasting).chain(closing).collect()
    }

    /// Every object once: steps may share what they use.
    pub(super) fn objects(&self) -> Vec<&Object> {
        let mut objects: Vec<&Object> = Vec::new();
        for (_, object) in self.waves() {
            if !objects
                .iter()
                .any(|known| known.kind == object.kind && known.name == object.name)
            {
                objects.push(object);
            }
        }
        objects
    }

    /// The copies of configuration that only the steps need.
    pub(super) fn copies(&self) -> Vec<&Object> {
        let lasts = |object: &Object| {
            let lasting = self.configuration.iter().chain(&self.application);
            lasting
                .into_iter()
                .any(|other| other.kind == object.kind && other.name == object.name)
        };
        let uses = self.steps.iter().flat_map(|step| &step.uses);
        self.preparation
            .iter()
            .chain(uses)
            .filter(|object| matches!(object.kind, Kind::SECRET | Kind::CONFIG_MAP))
            .filter(|object| !lasts(object))
            .collect()
    }

    pub(super) fn deployments(&self) -> Vec<String> {
        let deployments = self
            .application
            .iter()
            .filter(|object| object.kind == Kind::DEPLOYMENT);
        deployments.map(|object| object.name.clone()).collect()
    }
}
