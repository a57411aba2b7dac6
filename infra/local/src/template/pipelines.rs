use std::collections::BTreeMap;

use super::{Function, Result, stack::Stack};

/// Returns the pipelines defined in the template and those named by `*_PIPELINE` variables.
pub(super) fn all(
    stack: &Stack<'_>,
    functions: &[Function],
) -> Result<BTreeMap<String, Option<Vec<String>>>> {
    let mut pipelines = BTreeMap::new();
    for function in functions {
        let names = function.variables.iter().filter(|(name, _)| name.ends_with("_PIPELINE"));
        pipelines.extend(names.map(|(_, pipeline)| (pipeline.clone(), None)));
    }
    for resource in stack.of_type("AWS::CodePipeline::Pipeline")? {
        let declared = resource.properties["Variables"].as_array().map(|variables| {
            let names = variables.iter().filter_map(|variable| variable["Name"].as_str());
            names.map(str::to_owned).collect()
        });
        pipelines.insert(resource.name(), declared);
    }
    Ok(pipelines)
}
