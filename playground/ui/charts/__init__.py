"""What a person looks at: live charts, drawings, pictures, formulas."""
