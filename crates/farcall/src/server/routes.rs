//! Which method a path names.

use farcall_core::{Status, method};
use foldhash::HashMap;

use crate::service::{Attendant, Route, Service};

/// The services of a server, by path.
#[derive(Default)]
pub(crate) struct Routes {
    services: Vec<Service>,
    /// Path to service and route.
    places: HashMap<&'static [u8], (usize, usize)>,
}

/// Where a route stands in [`Routes`]: what a connection remembers of a path that it sees again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(usize, usize);

impl Routes {
    /// Adds a service. The methods of one added later take the place of those with the same path.
    pub(crate) fn add(&mut self, service: Service) {
        let number = self.services.len();
        for (position, route) in service.routes().iter().enumerate() {
            self.places.insert(route.method.path.as_bytes(), (number, position));
        }
        self.services.push(service);
    }

    /// Tells the services that have to do with the server as a whole that it begins.
    pub(crate) fn begin(&self) {
        self.services
            .iter()
            .filter_map(Service::attendant)
            .for_each(|attendant| attendant.begin(&self.services));
    }

    /// Tells them that it ends.
    pub(crate) fn end(&self) {
        self.services.iter().filter_map(Service::attendant).for_each(Attendant::end);
    }

    /// The place of the method that `path` names.
    ///
    /// # Errors
    /// UNIMPLEMENTED saying what is missing: a path that names a method, the service, or the method in it.
    pub(crate) fn find(&self, path: &[u8]) -> Result<Place, Status> {
        match self.places.get(path) {
            Some(&(service, route)) => Ok(Place(service, route)),
            None => Err(self.missing(path)),
        }
    }

    /// The route at a place that [`find`](Self::find) has given.
    pub(crate) fn get(&self, place: Place) -> &Route {
        &self.services[place.0].routes()[place.1]
    }

    #[cold]
    fn missing(&self, path: &[u8]) -> Status {
        let shown: String = path.escape_ascii().to_string().chars().take(128).collect();
        let Some((service, name)) = method::split_path(path) else {
            return Status::unimplemented(format!(
                "expected a path like /package.Service/Method, got {shown}"
            ));
        };
        let (service, name) = (clip(service), clip(name));
        if self.services.iter().any(|known| known.name() == service) {
            Status::unimplemented(format!("service {service} has no method {name}"))
        } else {
            Status::unimplemented(format!("no service {service} here"))
        }
    }
}

/// At most 64 characters of a name that the peer chose.
fn clip(name: &str) -> &str {
    name.get(..64).unwrap_or(name)
}
