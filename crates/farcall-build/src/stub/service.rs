//! One service, with its names decided and checked.

use buffa_codegen::context::CodeGenContext;
use buffa_codegen::generated::descriptor::ServiceDescriptorProto;

use super::method::Method;
use super::names::Taken;
use crate::error::Result;
use crate::origin::Origin;

/// `FileDescriptorProto.service`, the first step of the path to a service.
const FILE_SERVICE: i32 = 6;
/// `ServiceDescriptorProto.method`, the step from a service to a method.
const SERVICE_METHOD: i32 = 2;

/// One service.
pub(super) struct Service {
    /// With its package: `greet.v1.Greeter`.
    pub(super) full_name: String,
    /// As the `.proto` spells it, for the table of methods.
    pub(super) table: String,
    pub(super) trait_name: String,
    pub(super) client_name: String,
    pub(super) methods: Vec<Method>,
    pub(super) documentation: Vec<String>,
    pub(super) deprecated: bool,
    /// The path to what the whole tree has once.
    pub(super) protos: String,
}

impl Service {
    /// The services of a file, in its order.
    pub(super) fn all_of(
        origin: &Origin<'_>,
        taken: &Taken,
        context: &CodeGenContext<'_>,
    ) -> Result<Vec<Self>> {
        (0_i32..)
            .zip(&origin.file.service)
            .map(|(index, descriptor)| Self::new(descriptor, index, origin, taken, context))
            .collect()
    }

    fn new(
        descriptor: &ServiceDescriptorProto,
        index: i32,
        origin: &Origin<'_>,
        taken: &Taken,
        context: &CodeGenContext<'_>,
    ) -> Result<Self> {
        let package = origin.package();
        let name = descriptor.name.as_deref().unwrap_or("");
        let mut methods: Vec<Method> = Vec::new();
        for (method_index, method) in (0_i32..).zip(&descriptor.method) {
            let path = [FILE_SERVICE, index, SERVICE_METHOD, method_index];
            let method = Method::new(method, origin.comments.lines(&path), package, context)?;
            if let Some(twin) = methods.iter().find(|other| other.function == method.function) {
                return Err(origin.error(
                    &path,
                    format!(
                        "service `{name}`: rpc `{}` and rpc `{}` would both be `{}` in Rust; rename one of them",
                        twin.name, method.name, method.function
                    ),
                ));
            }
            methods.push(method);
        }
        Ok(Self {
            full_name: if package.is_empty() {
                name.to_owned()
            } else {
                format!("{package}.{name}")
            },
            table: super::names::table_identifier(name),
            trait_name: taken.trait_name(package, name),
            client_name: taken.client_name(package, name),
            methods,
            documentation: origin.comments.lines(&[FILE_SERVICE, index]),
            deprecated: descriptor
                .options
                .as_option()
                .is_some_and(|options| options.deprecated == Some(true)),
            protos: crate::protos::path_from(package),
        })
    }
}
