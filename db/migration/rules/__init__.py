"""What an audit finds wrong, rule by rule. `catalog` names all of them."""
