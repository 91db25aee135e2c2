//! Several pages of a table in one statement.

use sea_orm::{
    ConnectionTrait, EntityTrait, FromQueryResult, QueryTrait, Select,
    sea_query::{Alias, Asterisk, Expr, Query, UnionType},
};

use super::Error;

/// Selects in one statement at most: SQLite joins 500.
const SELECTS_MAX: usize = 100;

/// The name of the column that says which select a row is of.
const PART: &str = "part";

/// The rows of each of these selects, each in its own order.
pub(super) async fn all_of<E: EntityTrait>(
    db: &impl ConnectionTrait,
    selects: Vec<Select<E>>,
) -> Result<Vec<Vec<E::Model>>, Error> {
    let mut found: Vec<Vec<E::Model>> = selects.iter().map(|_| Vec::new()).collect();
    if let [only] = selects.as_slice() {
        return Ok(vec![only.clone().all(db).await?]);
    }
    let mut first = 0;
    let mut rest = selects.into_iter().peekable();
    while rest.peek().is_some() {
        let mut parts = rest.by_ref().take(SELECTS_MAX).enumerate();
        let Some((_, select)) = parts.next() else {
            break;
        };
        let mut statement = part(first, select);
        let mut count = 1;
        for (offset, select) in parts {
            statement.union(UnionType::All, part(first + offset, select));
            count = offset + 1;
        }
        for row in db.query_all(&statement).await? {
            let at: i32 = row.try_get("", PART)?;
            let model = E::Model::from_query_result(&row, "")?;
            if let Some(rows) = usize::try_from(at).ok().and_then(|at| found.get_mut(at)) {
                rows.push(model);
            }
        }
        first += count;
    }
    Ok(found)
}

/// A select with its number. Within brackets, for its own order and limit are not those of the whole.
fn part<E: EntityTrait>(number: usize, select: Select<E>) -> sea_orm::sea_query::SelectStatement {
    let number = i32::try_from(number).unwrap_or(i32::MAX);
    Query::select()
        .column(Asterisk)
        .expr_as(Expr::value(number), Alias::new(PART))
        .from_subquery(select.into_query(), Alias::new("rows"))
        .to_owned()
}
