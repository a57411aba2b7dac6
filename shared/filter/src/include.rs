use super::{Filter, Schema, node::Node, position::Position};
use crate::Result;

/// The maximum depth of inclusions. Contacts of the tenant of an invoice are two levels.
const MAX_DEPTH: usize = 3;

/// A relation to include in each item.
#[derive(Clone, Debug, PartialEq)]
pub struct Include {
    /// The name of the relation.
    pub relation: &'static str,
    /// Whether the relation is an array of entities.
    pub many: bool,
    /// The permissions to view the related entity, as in [`Schema::view`].
    pub view: &'static [u16],
    /// The filter for the related entities, if given.
    pub scope: Option<Filter>,
}

impl Include {
    /// Parses an array of names and `{relation, scope}` objects, or a single one. `depth` is the
    /// number of enclosing inclusions.
    pub(super) fn read(
        node: &Node,
        schema: &'static Schema,
        depth: usize,
        at: &Position<'_>,
    ) -> Result<Vec<Self>> {
        if depth == MAX_DEPTH {
            return Err(
                at.error(format_args!("nests inclusions more than {MAX_DEPTH} levels deep"))
            );
        }
        let Some(items) = node.list() else { return Ok(vec![one(node, schema, depth, at)?]) };
        let mut includes: Vec<Self> = Vec::new();
        for (position, item) in items.iter().enumerate() {
            let position = position.to_string();
            let below = at.member(&position);
            let include = one(item, schema, depth, &below)?;
            if includes.iter().any(|earlier| earlier.relation == include.relation) {
                return Err(
                    below.error(format_args!("must not name {} more than once", include.relation))
                );
            }
            includes.push(include);
        }
        Ok(includes)
    }
}

fn one(node: &Node, schema: &'static Schema, depth: usize, at: &Position<'_>) -> Result<Include> {
    let rule = || at.error("must be the name of a relation, or an object with `relation`");
    let (name, scope) = match node.object() {
        None => (node.text().ok_or_else(rule)?, None),
        Some(members) => {
            let unknown =
                members.keys().find(|name| !["relation", "scope"].contains(&name.as_str()));
            if let Some(name) = unknown {
                let rule = "is not a member of an inclusion (supported: relation, scope)";
                return Err(at.member(name).error(rule));
            }
            let name = members.get("relation").and_then(Node::text).ok_or_else(rule)?;
            (name, members.get("scope"))
        }
    };
    let relation = schema.relation(name, at)?;
    let scope =
        scope.map(|scope| Filter::read(scope, relation.schema, depth + 1, &at.member("scope")));
    Ok(Include {
        relation: relation.name,
        many: relation.many,
        view: relation.schema.view,
        scope: scope.transpose()?,
    })
}
