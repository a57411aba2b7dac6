//! The decision whether to retry a call that AWS refused. It depends only on the error's code.
//!
//! A fault is permanent if the request itself is at fault, so that the same request would be
//! refused again. It is transient if anything else has to change first, such as missing
//! permissions, paused accounts or unavailable services.

use std::error::Error as StdError;

use aws_smithy_runtime_api::{
    client::{orchestrator::HttpResponse, result::SdkError},
    http::StatusCode,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use domain::Error;

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The same call may succeed later.
    Transient,
    /// The same call never succeeds.
    Permanent,
}

/// A service with error codes of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// CodePipeline.
    CodePipeline,
    /// Cognito user pools.
    Cognito,
    /// DynamoDB, including the cancellation reasons of transactions.
    DynamoDb,
    /// EventBridge, for a request as a whole.
    EventBridge,
    /// EventBridge, for one entry of an accepted request.
    EventBridgeEntry,
    /// Secrets Manager.
    SecretsManager,
    /// SES, version 2.
    Ses,
    /// SQS.
    Sqs,
}

/// Codes of malformed requests, common to all services.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>
const MALFORMED: &[&str] = &[
    "InvalidParameterCombination",
    "InvalidParameterValue",
    "MissingParameter",
    "SerializationException",
    "ValidationError",
    "ValidationException",
];

impl Service {
    /// Returns the fault that a `code` of this service means.
    ///
    /// An unknown code is transient, because all retries end in a dead-letter queue. Entries of
    /// EventBridge are the exception: AWS lists the codes after which an entry can be retried, so
    /// any other code is permanent. An event that is retried blocks all later ones; an event in the
    /// dead-letter queue is not lost.
    #[must_use]
    pub fn fault(self, code: &str) -> Fault {
        let is_permanent = match self {
            Self::EventBridgeEntry => !self.retried().contains(&code),
            _ => MALFORMED.contains(&code) || self.permanent().contains(&code),
        };
        if is_permanent { Fault::Permanent } else { Fault::Transient }
    }

    /// Codes that mean a permanent fault, in addition to [`MALFORMED`].
    fn permanent(self) -> &'static [&'static str] {
        match self {
            // https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StartPipelineExecution.html
            Self::CodePipeline => {
                &["PipelineNotFoundException", "PipelineExecutionNotFoundException"]
            }
            // https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/CommonErrors.html
            Self::Cognito => &[
                "InvalidParameterException",
                "InvalidPasswordException",
                "UnsupportedUserStateException",
                "UserLambdaValidationException",
            ],
            // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
            Self::DynamoDb => &[
                "IdempotentParameterMismatchException",
                "ItemCollectionSizeLimitExceeded",
                "ItemCollectionSizeLimitExceededException",
            ],
            Self::EventBridge => &["InvalidArgument", "RequestEntityTooLarge"],
            Self::EventBridgeEntry => &[],
            // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
            Self::SecretsManager => &[
                "InvalidParameterException",
                "InvalidRequestException",
                "MalformedPolicyDocumentException",
                "ResourceExistsException",
            ],
            // https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
            Self::Ses => &[
                "AccountSuspendedException",
                "BadRequestException",
                "MessageRejected",
                "NotFoundException",
            ],
            // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
            Self::Sqs => &["InvalidMessageContents", "UnsupportedOperation"],
        }
    }

    /// Codes that mean a transient fault, for a service whose other codes are all permanent.
    ///
    /// Source:
    /// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html>.
    /// `InternalException` is an error of `PutEvents` itself.
    fn retried(self) -> &'static [&'static str] {
        match self {
            Self::EventBridgeEntry => &[
                "InternalException",
                "InternalFailure",
                "ServiceUnavailable",
                "Throttling",
                "ThrottlingException",
            ],
            _ => &[],
        }
    }

    /// Wraps a failed call as an [`Error`], permanent or not as its code says; use as
    /// `.map_err(Service::DynamoDb.error("reading a lead"))`.
    pub fn error<E>(self, doing: &'static str) -> impl FnOnce(SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        move |cause| match self.fault_of(&cause) {
            Fault::Permanent => Error::permanent(doing)(cause),
            Fault::Transient => Error::internal(doing)(cause),
        }
    }

    /// Returns the fault that a failed call means.
    ///
    /// A request that could not be built or is too large for the service (413) is a permanent
    /// fault. A call without an answer is a transient fault.
    pub fn fault_of<E: ProvideErrorMetadata>(self, cause: &SdkError<E, HttpResponse>) -> Fault {
        match cause {
            SdkError::ConstructionFailure(_) => Fault::Permanent,
            SdkError::ServiceError(refusal) if is_too_large(refusal.raw().status()) => {
                Fault::Permanent
            }
            SdkError::ServiceError(refusal) => {
                refusal.err().code().map_or(Fault::Transient, |code| self.fault(code))
            }
            _ => Fault::Transient,
        }
    }
}

fn is_too_large(status: StatusCode) -> bool {
    status.as_u16() == 413
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_whether_to_retry() {
        use Fault::{Permanent, Transient};
        use Service::{
            CodePipeline, Cognito, DynamoDb, EventBridge, EventBridgeEntry, SecretsManager, Ses,
            Sqs,
        };
        for (service, fault, codes) in [
            (
                EventBridgeEntry,
                Permanent,
                "AccessDeniedException InvalidAccountIdException InvalidArgument MalformedDetail \
                 NotAuthorizedForDetailTypeException NotAuthorizedForSourceException \
                 RedactionFailure ResourceNotFoundException CodeOfTomorrow",
            ),
            (EventBridgeEntry, Transient, "InternalException InternalFailure ThrottlingException"),
            (EventBridge, Permanent, "ValidationException SerializationException InvalidArgument"),
            (
                EventBridge,
                Transient,
                "InternalException ThrottlingException AccessDeniedException CodeOfTomorrow",
            ),
            (
                Ses,
                Permanent,
                "AccountSuspendedException BadRequestException MessageRejected NotFoundException",
            ),
            (
                Ses,
                Transient,
                "LimitExceededException MailFromDomainNotVerifiedException \
                 SendingPausedException TooManyRequestsException AccessDeniedException",
            ),
            (
                CodePipeline,
                Permanent,
                "PipelineNotFoundException PipelineExecutionNotFoundException ValidationException",
            ),
            (
                CodePipeline,
                Transient,
                "ConcurrentPipelineExecutionsLimitExceededException ConflictException \
                 ThrottlingException AccessDeniedException",
            ),
            (
                SecretsManager,
                Permanent,
                "InvalidParameterException InvalidRequestException ResourceExistsException \
                 MalformedPolicyDocumentException",
            ),
            (
                SecretsManager,
                Transient,
                "DecryptionFailure EncryptionFailure InternalServiceError LimitExceededException \
                 PreconditionNotMetException ResourceNotFoundException",
            ),
            (
                DynamoDb,
                Permanent,
                "ValidationException ValidationError ItemCollectionSizeLimitExceeded \
                 ItemCollectionSizeLimitExceededException SerializationException \
                 IdempotentParameterMismatchException",
            ),
            (
                DynamoDb,
                Transient,
                "ConditionalCheckFailed InternalServerError LimitExceededException \
                 ProvisionedThroughputExceeded ProvisionedThroughputExceededException \
                 ReplicatedWriteConflictException RequestLimitExceeded ResourceNotFoundException \
                 ThrottlingError ThrottlingException TransactionConflict \
                 TransactionConflictException TransactionInProgressException",
            ),
            (Sqs, Permanent, "InvalidMessageContents InvalidParameterValue UnsupportedOperation"),
            (
                Sqs,
                Transient,
                "InvalidAddress KmsAccessDenied KmsThrottled QueueDoesNotExist RequestThrottled",
            ),
            (
                Cognito,
                Permanent,
                "InvalidParameterException InvalidPasswordException UnsupportedUserStateException",
            ),
            (
                Cognito,
                Transient,
                "InternalErrorException LimitExceededException TooManyRequestsException \
                 NotAuthorizedException CodeDeliveryFailureException",
            ),
        ] {
            for code in codes.split_whitespace() {
                assert_eq!(service.fault(code), fault, "{service:?} {code}");
            }
        }
    }
}
