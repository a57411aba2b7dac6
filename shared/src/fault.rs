//! Whether a call that AWS refused is worth trying again. The error's code decides, here alone.
//!
//! A fault is permanent if the refusal lies in the request: the same request is refused tomorrow. It is
//! transient if anything else has to change first, which includes missing permissions, paused accounts
//! and services that are down.

use aws_smithy_runtime_api::{
    client::{orchestrator::HttpResponse, result::SdkError},
    http::StatusCode,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The same call may succeed later.
    Transient,
    /// The same call never succeeds.
    Permanent,
}

/// Something that refuses by codes of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// CodePipeline.
    CodePipeline,
    /// Cognito user pools.
    Cognito,
    /// DynamoDB, with the reasons for which it cancels a transaction.
    DynamoDb,
    /// EventBridge, refusing a request as a whole.
    EventBridge,
    /// EventBridge, refusing one entry of a request that it took.
    EventBridgeEntry,
    /// Secrets Manager.
    SecretsManager,
    /// SES, version 2.
    Ses,
    /// SQS.
    Sqs,
}

/// Codes of a request that no service can read, and that no repetition makes readable.
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
    /// The fault that a `code` of this service means.
    ///
    /// An unknown code is transient: each retry ends in a queue of its own. An entry of EventBridge is
    /// the exception. AWS names the codes after which an entry may be sent again, so any other is
    /// permanent: an event that waits holds up all others, and one in the failure queue is not lost.
    #[must_use]
    pub fn fault(self, code: &str) -> Fault {
        let is_permanent = match self {
            Self::EventBridgeEntry => !self.retried().contains(&code),
            _ => MALFORMED.contains(&code) || self.permanent().contains(&code),
        };
        if is_permanent { Fault::Permanent } else { Fault::Transient }
    }

    /// Codes beside [`MALFORMED`] that mean a permanent fault.
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

    /// Codes that mean a transient fault where all others are permanent.
    ///
    /// Source: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html>.
    /// `InternalException` is what `PutEvents` itself fails with.
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

    /// The fault that a failed call means.
    ///
    /// A request that could not be built is permanent, and so is one that is too large for the service
    /// (413). A call that has no answer is transient.
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
    fn codes_tell_what_is_worth_trying_again() {
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
