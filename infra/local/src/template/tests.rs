use std::time::Duration;

use super::*;

const HEAD: &str = "
Parameters:
  Stage: { Type: String, Default: dev }
  Origins: { Type: CommaDelimitedList, Default: 'https://a.test, https://b.test' }
  EventSource: { Type: String, Default: tenantry }
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsDev: !Not [!Condition IsProd]
Globals:
  Function:
    Timeout: 7
    Environment: { Variables: { STAGE: !Ref Stage } }
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
      StreamSpecification: { StreamViewType: NEW_AND_OLD_IMAGES }
      TimeToLiveSpecification: { AttributeName: expiresAt, Enabled: true }
  Bus:
    Type: AWS::Events::EventBus
    Properties: { Name: !Sub '${AWS::StackName}-${Stage}' }
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: { AllowOrigins: !Ref Origins, AllowMethods: [GET], MaxAge: 60 }
  Key:
    Type: AWS::SecretsManager::Secret
    Properties: { GenerateSecretString: { PasswordLength: 8 } }
  Alarm: { Type: AWS::CloudWatch::Alarm }
";

fn read(rest: &str) -> Result<Template> {
    Template::parse(&format!("{HEAD}{rest}"), Path::new(""), &Scope::default())
}

fn function(properties: &str) -> String {
    format!(
        "
  Relay:
    Type: AWS::Serverless::Function
    Metadata: {{ BuildProperties: {{ Binary: relay }} }}
    Properties:
{properties}"
    )
}

#[test]
fn references_and_conditions_are_resolved() {
    let template = read(&function(
        "
      Environment:
        Variables:
          TABLE_NAME: !Ref Table
          BUS: !Ref Bus
          KEY_ARN: !Ref Key
          URL: !Sub 'https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/x'
          ENDPOINT: !GetAtt Api.ApiEndpoint
          MODE: !If [IsDev, loose, strict]
          GONE: !If [IsProd, x, !Ref AWS::NoValue]
          JOINED: !Join ['-', [a, !Select [1, !Split [',', 'b,c']]]]
          LITERAL: !Sub '${!Kept} ${Stage}'
",
    ));
    let template = template.unwrap();
    let variables = &template.functions[0].variables;
    let expected = [
        ("STAGE", "dev"),
        ("TABLE_NAME", "tenantry-local-Table"),
        ("BUS", "tenantry-local-dev"),
        ("KEY_ARN", template.secrets[0].arn.as_str()),
        ("URL", "http://127.0.0.1:3000/x"),
        ("ENDPOINT", "http://127.0.0.1:3000"),
        ("MODE", "loose"),
        ("JOINED", "a-c"),
        ("LITERAL", "${Kept} dev"),
    ];
    for (name, value) in expected {
        assert_eq!(variables.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(!variables.contains_key("GONE"));
    assert_eq!(template.functions[0].timeout, Duration::from_secs(7));
    assert_eq!(template.buses, ["tenantry-local-dev"]);
    assert_eq!(template.secrets[0].name, "tenantry-local-Key");
    assert_eq!(template.tables[0].ttl_attribute.as_deref(), Some("expiresAt"));
    assert_eq!(template.tables[0].create["StreamSpecification"]["StreamEnabled"], true);
    let cors = template.cors.unwrap();
    assert_eq!((cors.origins.len(), cors.max_age), (2, Some(60)));
}

#[test]
fn environment_variables_override_parameters() {
    let outside = [("EVENT_SOURCE", "acme")].into_iter().collect();
    let scope = Scope { outside, ..Scope::default() };
    let rule = function(
        "
      Events:
        Rule:
          Type: EventBridgeRule
          Properties: { EventBusName: !Ref Bus, Pattern: { source: [!Ref EventSource] } }
",
    );
    let template = Template::parse(&format!("{HEAD}{rule}"), Path::new(""), &scope).unwrap();
    let rule = &template.rules[0];
    assert_eq!(rule.pattern.as_json()["source"][0], "acme");
    assert_eq!((rule.bus.as_str(), rule.function.as_str()), ("tenantry-local-dev", "relay"));
}

#[test]
fn events_are_parsed() {
    let template = read(&function(
        "
      EventInvokeConfig: { MaximumRetryAttempts: 1 }
      Events:
        Get: { Type: HttpApi, Properties: { ApiId: !Ref Api, Path: '/x/{id}', Method: get } }
        Rest: { Type: HttpApi }
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Table.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 10
            MaximumRetryAttempts: -1
            MaximumRecordAgeInSeconds: 60
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria: { Filters: [{ Pattern: '{\"eventName\":[\"INSERT\"]}' }] }
        Clock: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(5 minutes) } }
",
    ));
    let template = template.unwrap();
    let function = &template.functions[0];
    let routes: Vec<_> = template.routes().map(|route| (&*route.method, &*route.path)).collect();
    assert_eq!(routes, [("GET", "/x/{id}"), ("ANY", "$default")]);
    let stream = &function.streams[0];
    assert_eq!((stream.table.as_str(), stream.batch_size), ("tenantry-local-Table", 10));
    assert_eq!((stream.retries, stream.max_age), (None, Some(Duration::from_secs(60))));
    assert!(stream.from_the_start && stream.reports_failures && !stream.bisects);
    assert_eq!(stream.filters.len(), 1);
    assert_eq!(function.schedules[0].every, Duration::from_secs(300));
    assert_eq!(function.retries.most, 1);
}

#[test]
fn unsupported_parts_are_named() {
    let event = |event: &str| function(&format!("      Events: {{ E: {event} }}\n"));
    let cases = [
        ("\n  Q: { Type: AWS::Kinesis::Stream }\n".into(), "Q has the type AWS::Kinesis::Stream"),
        (event("{ Type: S3 }"), "Relay.E is a S3 event"),
        (event("{ Type: HttpApi, Properties: { Auth: { Authorizer: A } } }"), "authorizer \"A\""),
        (event("{ Type: ScheduleV2, Properties: { ScheduleExpression: cron(0) } }"), "cron(0)"),
        (
            event("{ Type: EventBridgeRule, Properties: { Pattern: { a: [{ cidr: x }] } } }"),
            "operator cidr",
        ),
        (
            event("{ Type: EventBridgeRule, Properties: { InputPath: x, Pattern: { a: [b] } } }"),
            "Relay.E has InputPath",
        ),
        (function("      Environment: { Variables: { A: !Ref Nowhere } }\n"), "Nowhere is neither"),
        (function("      Environment: { Variables: { A: !Base64 x } }\n"), "Fn::Base64"),
        ("\n  F: { Type: AWS::Serverless::Function }\n".into(), "F has no Binary"),
        ("\n  broken: [\n".into(), "is not valid YAML"),
    ];
    for (rest, expected) in cases {
        let Fault(fault) = read(&rest).unwrap_err();
        assert!(fault.contains(expected), "{expected}: {fault}");
    }
}

#[test]
fn a_parameter_without_a_value_is_named() {
    let text = "Parameters: { Needed: { Type: String } }\nResources: {}";
    let Fault(fault) = Template::parse(text, Path::new(""), &Scope::default()).unwrap_err();
    assert!(fault.contains("the parameter Needed has no default"), "{fault}");
}
