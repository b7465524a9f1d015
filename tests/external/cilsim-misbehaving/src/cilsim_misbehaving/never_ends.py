def again() -> None:
    again()


again()
