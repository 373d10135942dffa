"""Who the customer is: declared properties, settled values, search, erasing."""
