//! How errors look in the OpenAPI document of a server, which adds its own `ErrorCode` to the schemas.

use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::Ref;

/// An error.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what ApiError writes")]
pub struct ErrorBody {
    /// What went wrong, for a person.
    detail: String,
    #[schema(schema_with = code)]
    code: String,
    /// Names this request in the log.
    request_id: String,
}

/// Values that do not make a request.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what ApiError writes")]
pub struct ValidationErrorBody {
    /// Up to 20 problems.
    detail: Vec<ValidationProblem>,
    #[schema(schema_with = code)]
    code: String,
    /// Names this request in the log.
    request_id: String,
}

/// One problem with a value.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes wire::Problem")]
pub struct ValidationProblem {
    /// The way to the value: `body`, `path` or `query`, then keys and indices.
    loc: Vec<Value>,
    /// What is wrong, for a person.
    msg: String,
    /// What is wrong, for a program.
    r#type: String,
    /// The value that was given; a long one is cut.
    input: Value,
}

fn code() -> Ref {
    let mut code = Ref::from_schema_name("ErrorCode");
    "What went wrong, for a program.".clone_into(&mut code.description);
    code
}
