use serde_json::Value;

use crate::App;

/// Raw AWS calls that bypass the functions.
impl App {
    /// Calls `target` of the service at `AWS_ENDPOINT_URL_<service>`. Returns the status.
    pub async fn call_aws(&self, service: &str, target: &str, request: &Value) -> u16 {
        let env = self.local().env();
        let url = env.get(&format!("AWS_ENDPOINT_URL_{service}")).unwrap();
        let request = reqwest::Client::new()
            .post(url)
            .header("authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
            .header("x-amz-date", "20260101T000000Z")
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.0")
            .body(request.to_string());
        request.send().await.unwrap().status().as_u16()
    }

    /// Puts an item through the DynamoDB API and the stream. Returns whether it succeeded.
    pub async fn put_item(&self, item: &Value) -> bool {
        let env = self.local().env();
        let put = serde_json::json!({ "TableName": env.get("TABLE_NAME"), "Item": item });
        self.call_aws("DYNAMODB", "DynamoDB_20120810.PutItem", &put).await == 200
    }
}
